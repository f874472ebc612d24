import Foundation
import TestSupport
import Testing

/// The program `apus` as a user runs it, in a folder of its own.
enum CommandLineRun {
  static let impatient = MPILauncher.impatient

  /// Runs `apus` under `mpirun` on `ranks` ranks; for 0 ranks alone, without `mpirun`.
  static func apus(
    _ arguments: [String], ranks: Int, in folder: TemporaryDirectory, options: [String] = [],
    timeout: Duration = Patience.most
  ) throws -> RunResult {
    guard ranks > 0 else {
      return try Run.program(
        Binaries.apus, arguments, environment: MPILauncher.environment, workingDirectory: folder.path, timeout: timeout)
    }
    return try MPILauncher.run(
      ranks: ranks, Binaries.apus, arguments, options: impatient + options, workingDirectory: folder.path,
      timeout: timeout)
  }

  /// Runs `apus`, which must succeed.
  @discardableResult
  static func succeed(
    _ arguments: [String], ranks: Int, in folder: TemporaryDirectory, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> RunResult {
    let result = try apus(arguments, ranks: ranks, in: folder)
    #expect(result.exitCode == 0, "\(result)", sourceLocation: sourceLocation)
    return result
  }

  /// Runs `apus`, which must fail with `code`: in time, with one message that holds all of `words`, and with nothing on standard output.
  @discardableResult
  static func fail(
    _ arguments: [String], ranks: Int, in folder: TemporaryDirectory, options: [String] = [], code: Int32,
    says words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> RunResult {
    let result = try apus(arguments, ranks: ranks, in: folder, options: options)
    expectFailure(result, code: code, says: words, sourceLocation: sourceLocation)
    #expect(result.duration < Patience.seconds, "\(result)", sourceLocation: sourceLocation)
    return result
  }

  /// What must hold of every failure.
  /// - Parameter warns: warnings come before the one message.
  static func expectFailure(
    _ result: RunResult, code: Int32, says words: [String], warns: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(!result.timedOut && result.exitCode == code, "\(result)", sourceLocation: sourceLocation)
    let messages = result.messages.filter { !warns || !$0.hasPrefix("apus: warning: ") }
    let message = messages.first ?? ""
    #expect(messages.count == 1, "\(result)", sourceLocation: sourceLocation)
    #expect(!warns || result.messages.count > 1, "\(result)", sourceLocation: sourceLocation)
    for word in words where !message.contains(word) {
      Issue.record("no '\(word)' in the message\n\(result)", sourceLocation: sourceLocation)
    }
    #expect(result.standardOutput.isEmpty, "\(result)", sourceLocation: sourceLocation)
  }

  /// Processes whose command line holds `text`: those of a test, by its folder. Zombies do not count.
  static func processes(naming text: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.filter { name in
      guard Int32(name) != nil, let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
        return false
      }
      return String(decoding: line, as: UTF8.self).contains(text)
    }
  }

  /// The process of a rank of a running job.
  static func process(ofRank rank: Int, in running: RunningProgram) throws -> Int32 {
    try #require(findProcess(ofRank: rank, in: running))
  }

  /// The process of a rank of a running job; nil where there is none yet.
  static func findProcess(ofRank rank: Int, in running: RunningProgram) -> Int32? {
    let wanted = "OMPI_COMM_WORLD_RANK=\(rank)"
    return running.descendants.first { process in
      let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
      return String(decoding: environment, as: UTF8.self).split(separator: "\0").contains { $0 == wanted }
    }
  }

  /// Whether a signal was sent to a process that it has not taken yet. From `proc(5)`: a mask has a bit for each signal, the first at the right.
  static func isPending(_ signal: Int32, of process: Int32) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let masks = status.split(separator: "\n").filter { $0.hasPrefix("ShdPnd:") || $0.hasPrefix("SigPnd:") }
    return masks.contains { line in
      let mask = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) ?? 0
      return mask >> (signal - 1) & 1 == 1
    }
  }

  /// Expects that no process of the test in `folder` is left; the kernel gets a moment to collect those that were killed.
  static func expectNoProcess(of folder: TemporaryDirectory, sourceLocation: SourceLocation = #_sourceLocation) {
    let deadline = ContinuousClock.now + Patience.seconds
    while !processes(naming: folder.path).isEmpty, ContinuousClock.now < deadline { usleep(20_000) }
    let left = processes(naming: folder.path)
    #expect(left.isEmpty, "processes \(left) are left", sourceLocation: sourceLocation)
  }
}

extension RunResult {
  /// The messages of the program on standard error, each with its hint and its table; what Open MPI adds is left out.
  var messages: [String] {
    var messages: [String] = []
    var isInside = false
    for line in errorLines {
      if line.hasPrefix("apus: ") {
        messages.append(line)
        isInside = true
      } else if line.hasPrefix("-----") || line.hasPrefix("[") {
        isInside = false
      } else if isInside {
        messages[messages.count - 1] += "\n" + line
      }
    }
    return messages
  }

  /// The first message from the program's name on, without what Open MPI adds.
  var message: String { messages.first ?? "" }
}
