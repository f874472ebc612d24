import Data
import Failures
import Files
import Kernels
import TestSupport
import Testing

@testable import Training

@Suite struct CheckpointManifestTests {
  let directory: TemporaryDirectory
  private var folder: String { directory.path }
  private let contents: [(name: String, bytes: [UInt8])] = [
    ("model.safetensors", [1, 2, 3, 4, 5]), ("state.json", Array("{}".utf8)), ("empty", []),
  ]

  init() throws {
    directory = try TemporaryDirectory("checkpoint")
    for (name, bytes) in contents { try directory.write(bytes, to: name) }
    try directory.write(manifest.bytes, to: CheckpointManifest.name)
  }

  private var manifest: CheckpointManifest {
    CheckpointManifest(
      step: 12,
      entries: contents.map {
        CheckpointManifest.Entry(name: $0.name, bytes: $0.bytes.count, checksum: Checksum(of: $0.bytes).hex)
      })
  }

  /// The message of what is wrong with the folder; empty where nothing is.
  private var complaint: String {
    do {
      _ = try CheckpointManifest(verifying: folder)
      return ""
    } catch {
      return Failure(error).message
    }
  }

  @Test func wholeCheckpointIsAccepted() throws {
    #expect(try CheckpointManifest(verifying: folder) == manifest)
  }

  /// Every single bit of the manifest and of the files counts.
  @Test func everyFlippedBitIsNoticed() throws {
    var flips = 0
    for name in contents.map(\.name) + [CheckpointManifest.name] {
      let sound = try directory.read(name)
      for bit in 0..<8 * sound.count {
        var bytes = sound
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        try directory.write(bytes, to: name)
        if complaint.isEmpty { Issue.record("bit \(bit) of \(name)") }
        flips += 1
      }
      try directory.write(sound, to: name)
    }
    #expect(flips > 8 * 300 && complaint.isEmpty)
  }

  @Test func everyCutIsNoticed() throws {
    for name in ["model.safetensors", CheckpointManifest.name] {
      let sound = try directory.read(name)
      for count in 0..<sound.count {
        try directory.write(sound[..<count], to: name)
        #expect(complaint.contains(name), "\(count) bytes of \(name)")
      }
      try directory.write(sound + [10], to: name)
      #expect(complaint.contains(name), "one more byte of \(name)")
      try directory.write(sound, to: name)
    }
  }

  @Test func missingAndForeignFiles() throws {
    try FileSystem.remove(directory.file("state.json"))
    #expect(complaint == "'\(folder)/state.json' is missing")
    try FileSystem.createDirectory(directory.file("state.json"))
    #expect(complaint.contains("state.json"))
    try FileSystem.removeTree(directory.file("state.json"))
    try directory.write(text: "{}", to: "state.json")
    try directory.write(text: "", to: "notes.txt")
    #expect(complaint == "'\(folder)/notes.txt' does not belong to the checkpoint")
    try FileSystem.remove(directory.file("notes.txt"))
    try FileSystem.remove(directory.file(CheckpointManifest.name))
    #expect(complaint.contains("manifest.json"))
  }

  /// A manifest with the right checksum, by hand or by a program, that names what it must not.
  @Test func manifestsThatReachOutside() throws {
    let outside = try directory.write([7], to: "inside/outside")
    for name in ["../outside", outside, "inside/outside", "", ".."] {
      let entry = CheckpointManifest.Entry(name: name, bytes: 1, checksum: Checksum(of: [7]).hex)
      try directory.write(
        CheckpointManifest(step: 1, entries: [entry]).bytes, to: "inside/" + CheckpointManifest.name)
      #expect(throws: (any Error).self) { try CheckpointManifest(verifying: directory.file("inside")) }
    }
  }

  @Test(arguments: ["", "[]", "{}", "null", #"{"format":"apus-checkpoint-1","step":1,"files":[]}"#, "\u{0}"])
  func otherFilesAreNoManifests(text: String) throws {
    try directory.write(text: text, to: CheckpointManifest.name)
    #expect(complaint == "'\(folder)/manifest.json' is damaged")
  }

  /// A file of tensors that is damaged is named with the tensor.
  @Test func damagedTensors() throws {
    let path = directory.file("inside/t.safetensors")
    try FileSystem.createDirectory(directory.file("inside"))
    let layout = SafetensorsLayout([.init("a", shape: [2]), .init("b", shape: [3])])
    let writer = try SafetensorsWriter(path, layout)
    try writer.write(FloatBuffer([1, 2, 3, 4, 5]), 0..<2, toTensor: 0)
    try writer.write(FloatBuffer([1, 2, 3, 4, 5]), 2..<5, toTensor: 1)
    let receipt = try SafetensorsWriter.seal(path, layout, [try writer.finish()])
    let tensors = zip(layout.tensors, receipt.tensors).map {
      CheckpointManifest.Tensor(name: $0.name, bytes: 4 * $0.count, checksum: $1.hex)
    }
    let entry = CheckpointManifest.Entry(
      name: "t.safetensors", bytes: receipt.bytes, checksum: receipt.checksum.hex, tensors: tensors)
    let manifest = CheckpointManifest(step: 1, entries: [entry])
    try directory.write(manifest.bytes, to: "inside/" + CheckpointManifest.name)
    func complaint() -> String {
      do { return try CheckpointManifest(verifying: directory.file("inside")) == manifest ? "" : "other" } catch {
        return Failure(error).message
      }
    }
    #expect(complaint() == "")
    let sound = try directory.read("inside/t.safetensors")
    for (byte, words) in [
      (sound.count - 1, "the tensor 'b' has the checksum"), (sound.count - 13, "the tensor 'a'"),
      (9, "t.safetensors' has the checksum"),
    ] {
      var bytes = sound
      bytes[byte] ^= 2
      try directory.write(bytes, to: "inside/t.safetensors")
      #expect(complaint().contains(words) && complaint().contains("the manifest says"), "\(complaint())")
    }
  }
}
