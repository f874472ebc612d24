import Foundation
import TestSupport
import Testing

/// What a training says while it runs.
@Suite struct ProgressTests {
  private static let training = "steps: 33, batch_size: 100"

  /// `log_every: n` writes every n-th step and the last; a validation ends each epoch and the training.
  @Test func everyNthStepAndTheLastAreLogged() throws {
    let digits = try DigitsTraining()
    let job = try digits.job("job", optimizer: #"kind: "sgd""#, train: Self.training)
    let log = try digits.train(job, ranks: 2, output: "run", options: ["--set", "train.log_every=5"]).log
    #expect(log.steps.map(\.step) == [5, 10, 15, 20, 25, 30, 33])
    // 1,438 rows are 15 batches, the last of 38 rows.
    #expect(log.steps.map(\.samples) == [500, 1000, 1438, 1938, 2438, 2876, 3176])
    #expect(log.steps.map(\.epoch) == [1, 1, 1, 2, 2, 2, 3])
    #expect(log.validations.map(\.step) == [15, 30, 33])
  }

  /// `log_every: 0` writes a few lines a second, with the first step and the last among them.
  @Test func withoutANumberOfStepsTheClockDecides() throws {
    let digits = try DigitsTraining()
    let job = try digits.job("job", optimizer: #"kind: "sgd""#, train: "steps: 300, batch_size: 100")
    let started = ContinuousClock.now
    let log = try digits.train(job, ranks: 1, output: "run", options: ["--set", "train.log_every=0"]).log
    let seconds = (ContinuousClock.now - started).inSeconds
    #expect(log.steps.first?.step == 1 && log.steps.last?.step == 300)
    #expect(Double(log.steps.count) <= 10 * seconds + 2)
  }

  /// Where standard error is no terminal, nothing on it moves a cursor; results alone go to standard output.
  @Test func plainTextWhereThereIsNoTerminal() throws {
    let digits = try DigitsTraining()
    let job = try digits.job("job", optimizer: #"kind: "sgd""#, train: Self.training)
    let run = DigitsRun(digits.directory.file("run"))
    let result = try MPILauncher.run(ranks: 3, Binaries.apus, digits.arguments(job, run, []))
    #expect(result.exitCode == 0, "\(result)")
    let control = result.errorBytes.contains { $0 < 32 && $0 != 10 }
    #expect(!control, "\(result)")
    // One rank speaks.
    #expect(result.errorLines.filter { $0.hasPrefix("training ") }.count == 1, "\(result)")
    #expect(result.outputLines.first?.hasPrefix("trained") == true, "\(result)")
    #expect(result.outputLines.contains { $0.contains(run.path + "/model.safetensors") }, "\(result)")
  }

  /// On a terminal one line is written over and over, unless the terminal cannot do that or the user does not want it.
  @Test(.enabled(if: Python.isAvailable, "needs the tests' Python: Scripts/setup"))
  func oneLineOnATerminal() throws {
    let digits = try DigitsTraining()
    let job = try digits.job("job", optimizer: #"kind: "sgd""#, train: Self.training)
    func screen(_ name: String, _ environment: [String: String]) throws -> String {
      let words = [Binaries.apus] + digits.arguments(job, DigitsRun(digits.directory.file(name)), [])
      return try Python.value(Self.terminal, json: Terminal(words: words, environment: environment))
    }
    let moving = try screen("moving", ["TERM": "xterm"])
    #expect(moving.contains("\r\u{1B}[K") && moving.contains("step 33/33"), "\(moving)")
    for environment in [["TERM": "dumb"], ["TERM": "xterm", "NO_COLOR": "1"]] {
      let plain = try screen("plain-\(environment.count)", environment)
      #expect(!plain.contains("\u{1B}") && plain.contains("trained"), "\(plain)")
    }
  }

  private struct Terminal: Encodable {
    let words: [String]
    let environment: [String: String]
  }

  private static let terminal = """
    import json, os, pty, sys
    task = json.load(sys.stdin)
    os.environ.pop("NO_COLOR", None)
    os.environ.update(task["environment"])
    screen = bytearray()
    process, terminal = pty.fork()
    if process == 0:
        os.execv(task["words"][0], task["words"])
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        screen.extend(data)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert status == 0, screen
    print(json.dumps(screen.decode()))
    """
}
