import Foundation
import TestSupport
import Testing

/// Commands that make data sets, killed half-way: nothing that looks complete is left, and what was there before stays.
@Suite struct PreparationKillTests {
  /// What makes a data set that takes a while, in a folder of its own.
  enum Maker: String, CaseIterable, Sendable {
    case prepare, generate

    func arguments(_ folder: TemporaryDirectory) throws -> [String] {
      switch self {
      case .prepare:
        let rows = (0..<120_000).lazy.map { "\($0),\($0 % 7),0.\($0),\($0 % 3)\n" }
        try folder.write(text: "a,b,c,y\n" + rows.joined(), to: "table.csv")
        return ["prepare", "table.csv", "--target", "y", "--output", "data", "--shards", "6", "--overwrite"]
      case .generate:
        return [
          "generate", "teacher", "--rows", "60000", "--columns", "20", "--shards", "6", "--output", "data",
          "--overwrite",
        ]
      }
    }
  }

  /// The moments of a kill: when the directory is there, when there is a file in it, when there is a whole shard.
  private static let moments: [@Sendable ([String]) -> Bool] = [
    { _ in true }, { $0.contains { $0 != ".preparing" } },
    { $0.contains { $0.hasPrefix("train-") && $0.hasSuffix(".h5") } },
  ]

  @Test(arguments: Maker.allCases, 0..<3) func nothingLooksComplete(maker: Maker, moment: Int) throws {
    let folder = try TemporaryDirectory("killed")
    let arguments = try maker.arguments(folder)
    // A data set of before, which is to stay.
    try CommandLineRun.succeed(
      ["generate", "linear", "--rows", "10", "--columns", "2", "--output", "data"], ranks: 0, in: folder)
    let old = try folder.read("data/train-00000-of-00001.h5")
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, arguments, options: CommandLineRun.impatient, workingDirectory: folder.path)
    let isReached = running.wait {
      folder.contains(".data.incomplete") && Self.moments[moment]((try? folder.names(in: ".data.incomplete")) ?? [])
    }
    #expect(isReached)
    for process in running.descendants { kill(process, SIGKILL) }
    let result = running.wait()
    try #require(result.exitCode != 0, "it was over before it could be killed\n\(result)")
    CommandLineRun.expectNoProcess(of: folder)

    #expect(try folder.names(in: "data") == ["dataset.json", "test-00000-of-00001.h5", "train-00000-of-00001.h5"])
    #expect(try folder.read("data/train-00000-of-00001.h5") == old)
    #expect(!folder.contains(".data.incomplete/dataset.json"))

    try CommandLineRun.succeed(arguments, ranks: 2, in: folder)
    #expect(try folder.names().filter { $0 != "table.csv" } == ["data"])
    #expect(try folder.names(in: "data").count == 1 + 6 + 2)
  }
}
