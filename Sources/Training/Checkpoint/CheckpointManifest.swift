import Data
import Files
import JSON

/// `manifest.json`: the files of a checkpoint, and the tensors in them, with their sizes and checksums.
///
/// The manifest vouches for itself too: its bytes are a function of its contents, with their checksum at the end, so that no
/// change of a single bit goes unnoticed.
public struct CheckpointManifest: Equatable, Sendable {
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let bytes: Int
    /// CRC-64/XZ in hexadecimal digits.
    public let checksum: String
    /// In the order of the file; empty where it holds none.
    public var tensors: [Tensor] = []

    package init(name: String, bytes: Int, checksum: String, tensors: [Tensor] = []) {
      self.name = name
      self.bytes = bytes
      self.checksum = checksum
      self.tensors = tensors
    }

    /// Of the file `name` in `folder`, which is complete.
    package init(_ name: String, in folder: String) throws {
      let path = FileSystem.join(folder, name)
      let bytes = try FileSystem.status(of: path)?.bytes ?? 0
      self.init(name: name, bytes: bytes, checksum: try CheckpointManifest.checksum(of: path, bytes: bytes))
    }
  }

  public struct Tensor: Equatable, Sendable {
    public let name: String
    /// Of its elements.
    public let bytes: Int
    public let checksum: String
  }

  public static let name = "manifest.json"
  private static let format = "apus-checkpoint-1"
  private static let mostBytes = 16 << 20
  /// As many as the header of a file of tensors may have.
  private static let mostValues = 250_000

  public let step: Int
  public let entries: [Entry]

  private var members: [(String, JSONValue)] {
    [
      ("format", .string(Self.format)), ("step", .integer(step)),
      (
        "files",
        .array(
          entries.map { entry in
            let tensors = entry.tensors.map { Self.item($0.name, $0.bytes, $0.checksum) }
            return .object(
              Self.item(entry.name, entry.bytes, entry.checksum)
                + (tensors.isEmpty ? [] : [("tensors", .array(tensors.map { .object($0) }))]))
          })
      ),
    ]
  }

  private static func item(_ name: String, _ bytes: Int, _ checksum: String) -> [(String, JSONValue)] {
    [("name", .string(name)), ("bytes", .integer(bytes)), ("checksum", .string(checksum))]
  }

  var bytes: [UInt8] {
    let body = JSONValue.object(members).serialized(pretty: true)
    let checksum = Checksum(of: Array(body.utf8)).hex
    return Array(JSONValue.object(members + [("checksum", .string(checksum))]).serialized(pretty: true).utf8)
  }

  init(step: Int, entries: [Entry]) {
    self.step = step
    self.entries = entries
  }

  /// Reads the manifest of the checkpoint in `directory` and checks every file against it.
  /// - Throws: `DataError` naming the file that is missing, cut, changed or foreign.
  public init(verifying directory: String) throws {
    let path = FileSystem.join(directory, Self.name)
    let invalid = DataError(.invalid, "'\(path)' is damaged")
    let found = try FileSystem.read(path, limit: Self.mostBytes)
    guard let root = try? JSONNode(parsing: found, dialect: .json, valueLimit: Self.mostValues),
      let step = root["step"]?.asInt,
      let files = root["files"]?.asArray
    else { throw invalid }
    let entries = files.compactMap { file -> Entry? in
      guard let (name, bytes, checksum) = Self.item(file), !name.isEmpty, !name.contains("/") else { return nil }
      let tensors = (file["tensors"]?.asArray ?? []).compactMap(Self.item)
      return Entry(
        name: name, bytes: bytes, checksum: checksum,
        tensors: tensors.map { Tensor(name: $0.0, bytes: $0.1, checksum: $0.2) })
    }
    self.init(step: step, entries: entries)
    guard bytes == found else { throw invalid }
    let names = Set(entries.map(\.name) + [Self.name])
    if let foreign = try FileSystem.list(directory).first(where: { !names.contains($0) }) {
      throw DataError(.invalid, "'\(FileSystem.join(directory, foreign))' does not belong to the checkpoint")
    }
    for entry in entries { try Self.verify(entry, in: directory) }
  }

  private static func item(_ node: JSONNode) -> (String, Int, String)? {
    guard let name = node["name"]?.asString, let bytes = node["bytes"]?.asInt, let checksum = node["checksum"]?.asString
    else { return nil }
    return (name, bytes, checksum)
  }

  private static func verify(_ entry: Entry, in directory: String) throws {
    let path = FileSystem.join(directory, entry.name)
    guard let status = try FileSystem.status(of: path) else { throw DataError(.invalid, "'\(path)' is missing") }
    guard status.kind == .regular, status.bytes == entry.bytes else {
      throw DataError(.invalid, "'\(path)' has \(status.bytes) bytes, the manifest says \(entry.bytes)")
    }
    let found = try checksum(of: path, bytes: entry.bytes)
    guard found == entry.checksum else {
      try verifyTensors(of: entry, at: path)
      throw DataError(.invalid, "'\(path)' has the checksum \(found), the manifest says \(entry.checksum)")
    }
  }

  /// Of the first bytes of a file.
  private static func checksum(of path: String, bytes count: Int) throws -> String {
    let file = try File.openForReading(path)
    var checksum = Checksum()
    var offset = 0
    while offset < count {
      let bytes = try file.read(at: offset, count: min(1 << 20, count - offset))
      guard !bytes.isEmpty else { break }
      checksum.update(bytes)
      offset += bytes.count
    }
    return checksum.hex
  }

  /// Throws naming the first tensor that is not as the manifest says. Of a file that is damaged, which may be its header alone.
  private static func verifyTensors(of entry: Entry, at path: String) throws {
    guard !entry.tensors.isEmpty, let file = try? SafetensorsFile.open(path) else { return }
    for (found, expected) in zip(file.tensors, entry.tensors) where found.name == expected.name {
      let checksum = try file.checksum(of: found).hex
      guard checksum != expected.checksum else { continue }
      throw DataError(
        .invalid,
        "'\(path)': the tensor '\(found.name)' has the checksum \(checksum), the manifest says \(expected.checksum)")
    }
  }
}
