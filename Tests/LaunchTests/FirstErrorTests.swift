import Testing

@testable import Launch

@Suite struct FirstErrorTests {
  private func first(of text: String) -> String? {
    var error = FirstError()
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { error.take(line: String(line)) }
    return error.text
  }

  /// The message of the first rank, with its hint, whatever comes before and behind it.
  @Test func rank() {
    let text = """
      apus: warning: the metrics are not complete: x
      step 1/20  epoch 1  loss 1.0
      apus: rank 1 on a: something is wrong
        hint: look there
      apus: rank 0 on a: something else is wrong
        hint: and there
      --------------------------------------------------------------------------
      mpirun noticed that process rank 0 with PID 1 on node a exited on signal 9 (Killed).

      """
    #expect(first(of: text) == "apus: rank 1 on a: something is wrong\n  hint: look there")
  }

  @Test func killedRank() {
    let text = """
      step 1/20  epoch 1  loss 1.0
      --------------------------------------------------------------------------
      Primary job  terminated normally, but 1 process returned
      a non-zero exit code. Per user-direction, the job has been aborted.
      --------------------------------------------------------------------------
      mpirun noticed that process rank 1 with PID 0 on node a exited on signal 9 (Killed).
      --------------------------------------------------------------------------

      """
    #expect(first(of: text) == "mpirun noticed that process rank 1 with PID 0 on node a exited on signal 9 (Killed).")
  }

  @Test func trap() {
    #expect(
      first(of: "RankCases/x.swift:3: Fatal error: Index out of range\nexited on signal 5\n")
        == "RankCases/x.swift:3: Fatal error: Index out of range")
  }

  @Test func others() {
    #expect(
      first(of: "----\nssh: connect to host b port 22: No route to host\n----\n\n")
        == "ssh: connect to host b port 22: No route to host")
    #expect(first(of: "step 1/2\n") == nil)
    #expect(first(of: "") == nil)
  }
}
