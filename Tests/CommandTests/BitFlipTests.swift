import Data
import Foundation
import TestSupport
import Testing
import Training

/// Single bits of files, changed at places that a seed draws.
@Suite(.enabled(if: Python.isAvailable)) struct BitFlipTests {
  let folder: TemporaryDirectory

  /// A run that has left a checkpoint, one more of a later step, and a model.
  init() throws {
    folder = try TemporaryDirectory("flips")
    let job = """
      { model: { kind: "mlp", hidden: [8] }, data: { path: "DATA" }, train: { steps: 10, batch_size: 32 },
        checkpoint: { every_steps: 5, every_seconds: 0 }, output: "run" }
      """
    try folder.write(text: job.replacing("DATA", with: BadInputFiles.shared.path("good")), to: "job.json")
    try CommandLineRun.succeed(["train", "job.json"], ranks: 2, in: folder)
  }

  /// Changes one bit of the file, runs `body`, and changes the bit back.
  private func flip<Result>(_ bit: Int, of path: String, _ body: () throws -> Result) throws -> Result {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    func change() throws {
      try file.seek(toOffset: UInt64(bit / 8))
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: UInt64(bit / 8))
      try file.write(contentsOf: [byte ^ 1 << UInt8(bit % 8)])
    }
    try change()
    let result = try body()
    try change()
    return result
  }

  /// 10,000 bits of all files of the newest checkpoint, its manifest with them: each is noticed, is said with the file's name, and
  /// leads to the checkpoint before.
  @Test func checkpoints() throws {
    let store = CheckpointStore(directory: folder.file("run/checkpoints"), keep: 2)
    let steps = try store.steps()
    try #require(steps == [5, 10])
    let newest = store.path(of: 10)
    let files = try folder.names(in: "run/checkpoints/step-000000010").map { "\(newest)/\($0)" }
    let sizes = try files.map { try #require(FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int) }
    var random = SeededGenerator(seed: 5)
    var slowest = Duration.zero
    for _ in 0..<10_000 {
      // Each file is as likely as any other, or the largest would take all flips.
      let index = Int.random(in: files.indices, using: &random)
      let bit = Int.random(in: 0..<8 * sizes[index], using: &random)
      var warnings: [String] = []
      let start = ContinuousClock.now
      let found = try flip(bit, of: files[index]) { try store.newest { warnings.append($0) } }
      slowest = max(slowest, ContinuousClock.now - start)
      #expect(found == store.path(of: 5), "bit \(bit) of \(files[index])")
      #expect(warnings.count == 1 && warnings[0].contains(newest), "\(warnings)")
    }
    #expect(slowest < .seconds(1))
    #expect(try store.newest { _ in } == newest, "all bits are as they were")
  }

  /// 10,000 bits of a model file: none makes the reader trap or take long. A bit of a number makes another number, which nothing in the
  /// format can tell.
  @Test func models() throws {
    let path = folder.file("run/model.safetensors")
    let bytes = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    let header = Int(
      try folder.read("run/model.safetensors")[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    var random = SeededGenerator(seed: 6)
    var refused = 0
    var slowest = Duration.zero
    for number in 0..<10_000 {
      // Half of them in the header, which has all the structure.
      let bit = Int.random(in: 0..<8 * (number.isMultiple(of: 2) ? 8 + header : bytes), using: &random)
      let start = ContinuousClock.now
      refused += try flip(bit, of: path) {
        do {
          let file = try SafetensorsFile.open(path)
          for tensor in file.tensors { _ = try file.values(of: tensor) }
          return 0
        } catch is DataError {
          return 1
        }
      }
      slowest = max(slowest, ContinuousClock.now - start)
    }
    #expect(slowest < .seconds(1))
    #expect(refused > 100, "\(refused)")
  }
}

/// SplitMix64: the same places in every run.
private struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
