import Data
import Files
import Foundation
import Glibc
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

  /// What this thread has taken of processors, which does not grow while others keep it from them.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
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
    var slowest = 0.0
    let before = Machine.peakMemoryBytes
    for _ in 0..<10_000 {
      // Each file is as likely as any other, or the largest would take all flips.
      let index = Int.random(in: files.indices, using: &random)
      let bit = Int.random(in: 0..<8 * sizes[index], using: &random)
      var warnings: [String] = []
      let start = Self.processorSeconds
      let found = try flip(bit, of: files[index]) { try store.newest { warnings.append($0) } }
      slowest = max(slowest, Self.processorSeconds - start)
      #expect(found == store.path(of: 5), "bit \(bit) of \(files[index])")
      #expect(warnings.count == 1 && warnings[0].contains(newest), "\(warnings)")
    }
    #expect(slowest < 1)
    #expect(Machine.peakMemoryBytes - before < 100 << 20)
    #expect(try store.newest { _ in } == newest, "all bits are as they were")
  }

  /// 10,000 bits of a model file: whoever reads it notices each, in time and without much memory.
  @Test func models() throws {
    let path = folder.file("run/model.safetensors")
    let bytes = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    let header = Int(
      try folder.read("run/model.safetensors")[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    var random = SeededGenerator(seed: 6)
    var slowest = 0.0
    _ = try LoadedModel(path)
    let before = Machine.peakMemoryBytes
    for number in 0..<10_000 {
      // Half of them in the header, which has all the structure; each of its first bits, which say how long it is.
      let bit =
        number < 64 ? number : Int.random(in: 0..<8 * (number.isMultiple(of: 2) ? 8 + header : bytes), using: &random)
      let start = Self.processorSeconds
      let error = try flip(bit, of: path) { #expect(throws: DataError.self, "bit \(bit)") { try LoadedModel(path) } }
      #expect(error?.message.contains(path) ?? false, "bit \(bit): \(error?.message ?? "")")
      slowest = max(slowest, Self.processorSeconds - start)
    }
    #expect(slowest < 1)
    #expect(Machine.peakMemoryBytes - before < 100 << 20)
    _ = try LoadedModel(path)
  }

  /// Every command that takes a model says that it is damaged; a file without a checksum is none of the damaged ones.
  @Test func commandsNoticeIt() throws {
    let path = folder.file("run/model.safetensors")
    let bytes = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    let data = BadInputFiles.shared.path("good")
    let commands = [
      ["inspect", path], ["evaluate", path, data], ["predict", path, data, "--output", "p.csv"],
      ["train", "job.json", "--set", "output=other", "--set", "train.initial_model=\(path)"],
    ]
    // The last number's exponent: a number as good as any.
    try flip(8 * bytes - 4, of: path) {
      for command in commands {
        try CommandLineRun.fail(
          command, ranks: 0, in: folder, code: 65,
          says: ["'\(path)' is damaged: it has the checksum ", "hint: take a copy"])
      }
    }
    try Python.text(
      """
      from safetensors import safe_open
      from safetensors.numpy import save_file
      with safe_open("run/model.safetensors", framework="numpy") as file:
          metadata = file.metadata()
          tensors = {name: file.get_tensor(name) for name in file.keys()}
      assert metadata["format"] == "apus-model-2" and len(metadata["checksum"]) == 16
      save_file(tensors, "again.safetensors", metadata)
      del metadata["checksum"]; metadata["format"] = "apus-model-1"
      save_file(tensors, "old.safetensors", metadata)
      """, workingDirectory: folder.path)
    // What another program has written anew is whole by its content, and a file of the first format by its form.
    for name in ["again.safetensors", "old.safetensors"] {
      try CommandLineRun.succeed(["inspect", name], ranks: 0, in: folder)
      try CommandLineRun.succeed(["evaluate", name, data], ranks: 0, in: folder)
    }
  }
}
