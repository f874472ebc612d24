import Files
import Foundation
import JSON
import TestSupport
import Testing

@testable import Launch

/// The supervisor over a script that plays `mpirun`: it finds the number of its start in `starts` and acts on it.
@Suite(.serialized) struct SupervisorTests {
  /// Checkpoints and the last step are numbers in files.
  struct FakeRun: LaunchedRun {
    let folder: TemporaryDirectory

    private func number(_ name: String) -> Int? {
      (try? folder.readText(name)).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    func program(isRestart: Bool) -> [String] { isRestart ? ["train", "--resume"] : ["train"] }
    var checkpointStep: Int? { number("checkpoint") }
    var lastStep: Int? { number("last") }
    func firstStep(announcedBy line: String) -> Int? {
      line.hasPrefix("begin ") ? Int(line.dropFirst("begin ".count)) : nil
    }
  }

  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("launch") }

  /// - Parameter script: runs in the folder with `$start` from 1, and may call `at STEP CHECKPOINT`.
  private func supervisor(
    _ script: String, restarts: Int = 3, hosts: String? = nil, ranks: Int? = nil, patience: Duration = .seconds(10),
    startLimit: Duration? = nil
  ) throws -> Supervisor {
    let text = """
      #!/bin/bash
      cd '\(folder.path)'
      printf '%s\\n' "$*" >>words
      last=${@: -1}
      if [[ $last == true ]]; then [[ ! -e lost || " $* " != *" $(cat lost) "* ]]; exit; fi
      echo x >>starts; start=$(wc -l <starts)
      begin() { echo "begin $1" >&2; }
      at() { echo "$1" >last; echo "$2" >checkpoint; }
      \(script)
      """
    try folder.write(text: text, to: "mpirun")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("mpirun"))
    var plan = LaunchPlan()
    plan.launcher = folder.file("mpirun")
    plan.firstPause = .milliseconds(10)
    plan.mostRestarts = restarts
    plan.hosts = hosts.flatMap { Hosts(parsing: $0) }
    plan.ranks = ranks
    plan.patience = patience
    plan.startLimit = startLimit
    return try Supervisor(plan, FakeRun(folder: folder))
  }

  @Test func withoutAFault() throws {
    var supervisor = try supervisor("begin 0; at 100 100")
    #expect(try supervisor.supervise() == 0)
    #expect(supervisor.report.text == "useful steps   100\nlost steps     0 (0.0 % of all done)\nrestarts       0\n")
    #expect(try folder.readText("words") == "train\n")
  }

  @Test func crashesWithProgress() throws {
    var supervisor = try supervisor(
      """
      case $start in
        1) begin 0; at 30 20; exit 137 ;;
        2) begin 20; at 45 40; kill -9 $$ ;;
        3) exit 1 ;;
        *) begin 40; at 100 100 ;;
      esac
      """)
    #expect(try supervisor.supervise() == 0)
    let report = supervisor.report
    #expect((report.usefulSteps, report.lostSteps, report.restarts) == (100, 15, 3))
    #expect(report.attempts.map(\.code) == [137, 137, 1, 0])
    #expect(report.attempts.map(\.firstStep) == [0, 20, nil, 40])
    #expect(report.attempts[1].firstError?.contains("was killed by signal 9") == true)
    // The pauses, 10 ms and 20 ms, are part of the time; the third attempt resumed nothing.
    #expect(report.attempts.map { $0.secondsToResume == nil } == [true, false, true, false])
    #expect(try #require(report.secondsToResume(share: 1)) > 0.03)
    #expect(try folder.readText("words") == "train\ntrain --resume\ntrain --resume\ntrain --resume\n")
    let json = try JSONNode(parsing: Array(report.json.serialized(pretty: true).utf8), dialect: .json)
    #expect(json["attempts"]?.asArray?.count == 4 && json["lost_steps"]?.asInt == 15)
  }

  /// A crash that repeats at the same step.
  @Test func givesUp() throws {
    var supervisor = try supervisor("begin 0; at 30 20; echo \"apus: error $start\" >&2; exit 70")
    #expect(try supervisor.supervise() == 70)
    // The first start made progress; three more did not.
    #expect(try folder.readText("starts").count == 8)
    #expect(supervisor.report.lastStep == 20)
  }

  @Test(arguments: [65, 75, 78]) func finalCodes(_ code: Int) throws {
    var supervisor = try supervisor("exit \(code)")
    #expect(try supervisor.supervise() == Int32(code))
    #expect(try folder.readText("starts") == "x\n")
  }

  /// Ranks go on where a host is lost, and on all hosts when it is back.
  @Test func lostHost() throws {
    var supervisor = try supervisor(
      """
      case $start in
        1) begin 0; at 30 20; echo b >lost; exit 1 ;;
        2) begin 20; at 50 40; rm lost; exit 1 ;;
        *) begin 40; at 60 60 ;;
      esac
      """, hosts: "a:2,b:2,c:2", ranks: 6)
    #expect(try supervisor.supervise() == 0)
    let words = try folder.readText("words").split(separator: "\n").filter { !$0.hasSuffix("true") }
    #expect(
      words == [
        "-n 6 --host a:2,b:2,c:2 train", "-n 4 --host a:2,c:2 train --resume", "-n 6 --host a:2,b:2,c:2 train --resume",
      ])
    #expect(supervisor.report.attempts.map(\.hosts) == ["a:2,b:2,c:2", "a:2,c:2", "a:2,b:2,c:2"])
  }

  /// As `mpirun` may after a killed rank: it says so, and never ends, whether it holds its output open or not.
  @Test(arguments: ["", "exec 2>&-;"]) func launcherThatHangs(_ closing: String) throws {
    var supervisor = try supervisor(
      """
      case $start in
        1) begin 0; at 30 20; mkfifo nothing; sleep 0.3; echo "exited on signal 9 (Killed)." >&2; \(closing) read -r <>nothing ;;
        *) begin 20; at 40 40; sleep 0.3 ;;
      esac
      """, patience: .milliseconds(200))
    #expect(try supervisor.supervise() == 0)
    #expect(supervisor.report.attempts.map(\.code) == [137, 0])
    #expect(supervisor.report.attempts[0].firstError == "exited on signal 9 (Killed).")
  }

  /// All that it had started was gone before anybody looked.
  @Test func launcherThatHangsAtOnce() throws {
    var supervisor = try supervisor(
      """
      case $start in
        1) begin 0; at 30 20; while :; do :; done ;;
        *) begin 20; at 40 40 ;;
      esac
      """, patience: .milliseconds(400))
    #expect(try supervisor.supervise() == 0)
    #expect(supervisor.report.attempts.map(\.code) == [137, 0])
  }

  /// Ranks that hang before their training begins; the launcher ends when it is asked to, or does not listen.
  @Test(arguments: ["", "trap '' TERM;"]) func trainingThatDoesNotBegin(_ deaf: String) throws {
    var supervisor = try supervisor(
      """
      case $start in
        1) \(deaf) mkfifo nothing; read -r <>nothing ;;
        *) begin 0; at 40 40; sleep 0.3 ;;
      esac
      """, patience: .milliseconds(300), startLimit: .seconds(3))
    #expect(try supervisor.supervise() == 0)
    #expect(supervisor.report.attempts.map(\.code) == [76, 0])
    let error = supervisor.report.attempts[0].firstError ?? ""
    #expect(error.hasPrefix("apus: launch: the training has not begun; --start-limit allows 3.0 s"), "\(error)")
  }

  /// Once it has begun, it may take any time.
  @Test func startLimitIsOfTheStart() throws {
    var supervisor = try supervisor("begin 0; sleep 1.5; at 40 40", startLimit: .seconds(1))
    #expect(try supervisor.supervise() == 0)
    #expect(supervisor.report.attempts.map(\.code) == [0])
  }

  @Test func noLauncher() throws {
    var plan = LaunchPlan()
    plan.launcher = folder.file("nothing")
    var supervisor = try Supervisor(plan, FakeRun(folder: folder))
    let error = #expect(throws: FilesError.self) { _ = try supervisor.supervise() }
    #expect(error?.description == "cannot start '\(folder.file("nothing"))': No such file or directory")
  }
}
