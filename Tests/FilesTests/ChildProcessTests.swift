import Testing

@testable import Files

@Suite struct ChildProcessTests {
  /// What the program writes to the captured streams, and how it ends.
  private func run(_ line: String, environment: [String: String?] = [:]) throws -> (String, ChildProcess.End) {
    let child = try ChildProcess(["bash", "-c", line], environment: environment, captured: [.output, .error])
    var bytes: [UInt8] = []
    while true {
      let more = try child.output.read()
      if more.isEmpty { break }
      bytes += more
    }
    return (String(decoding: bytes, as: UTF8.self), try child.wait())
  }

  @Test func outputAndEnd() throws {
    let (text, end) = try run("echo out; echo error >&2; read x || echo nothing; exit 3")
    #expect(text == "out\nerror\nnothing\n" && end == .exited(3))
    #expect(try run("kill -9 $$").1 == .killed(signal: 9))
    #expect(try run("kill -9 $$").1.code == 137)
  }

  @Test func environment() throws {
    let changes: [String: String?] = ["ONE": "1", "HOME": nil]
    #expect(try run("echo $ONE-${HOME-none}", environment: changes).0 == "1-none\n")
  }

  /// Signals that are blocked or ignored here are not there.
  @Test func signalsAreAsFromTheStart() throws {
    StandardStream.error.write("")  // SIGPIPE is ignored from now on
    #expect(try run("trap -p; grep SigBlk /proc/self/status").0 == "SigBlk:\t0000000000000000\n")
    let ignored = try run("grep SigIgn /proc/self/status").0.split(separator: "\t").last?.dropLast() ?? ""
    let signals = try #require(Int(ignored, radix: 16))
    #expect(signals & 1 << 12 == 0, "SIGPIPE is signal 13")
  }

  @Test func waiting() throws {
    let child = try ChildProcess(["sleep", "60"], captured: [.output], hasOwnGroup: true)
    #expect(try child.poll() == nil)
    #expect(try !child.output.wait(timeout: .milliseconds(20)))
    child.send(.terminate)
    #expect(try child.wait() == .killed(signal: 15))
    #expect(try child.poll() == .killed(signal: 15))
    child.send(.terminate)
  }

  @Test func failures() throws {
    for (words, text) in [
      (["/nothing/at/all"], "cannot start '/nothing/at/all': No such file or directory"),
      (["/etc/passwd"], "cannot start '/etc/passwd': Permission denied"),
      (["a\0b"], "cannot start 'a\0b': Invalid argument"), ([], "cannot start '': Invalid argument"),
    ] {
      let error = #expect(throws: FilesError.self) { _ = try ChildProcess(words, captured: []) }
      #expect(error?.description == text)
    }
    for call in [SystemCall.Name.spawn, .pipe, .open] {
      let plan = FaultPlan(calls: [call], first: 1, effect: .fail(12))
      FaultPlan.$current.withValue(plan) {
        let error = #expect(throws: FilesError.self) { _ = try ChildProcess(["true"], captured: []) }
        #expect(error?.call == call.rawValue && error?.code == 12)
      }
    }
  }

  @Test func programPath() throws {
    #expect(try Machine.programPath.hasPrefix("/"))
  }
}
