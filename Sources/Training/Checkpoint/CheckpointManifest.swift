import Data
import Files
import JSON

/// `manifest.json`: the files of a checkpoint with their sizes and checksums.
///
/// The manifest vouches for itself too: its bytes are a function of its contents, with their checksum at the end, so that no
/// change of a single bit goes unnoticed.
public struct CheckpointManifest: Equatable, Sendable {
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let bytes: Int
    /// CRC-64/XZ in hexadecimal digits.
    public let checksum: String
  }

  public static let name = "manifest.json"
  private static let format = "apus-checkpoint-1"
  private static let mostBytes = 1 << 20

  public let step: Int
  public let entries: [Entry]

  private var members: [(String, JSONValue)] {
    [
      ("format", .string(Self.format)), ("step", .integer(step)),
      (
        "files",
        .array(
          entries.map {
            .object([("name", .string($0.name)), ("bytes", .integer($0.bytes)), ("checksum", .string($0.checksum))])
          })
      ),
    ]
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
    guard let root = try? JSONNode(parsing: found, dialect: .json), let step = root["step"]?.asInt,
      let files = root["files"]?.asArray
    else { throw invalid }
    let entries = files.compactMap { file -> Entry? in
      guard let name = file["name"]?.asString, let bytes = file["bytes"]?.asInt,
        let checksum = file["checksum"]?.asString,
        !name.isEmpty, !name.contains("/")
      else { return nil }
      return Entry(name: name, bytes: bytes, checksum: checksum)
    }
    self.init(step: step, entries: entries)
    guard bytes == found else { throw invalid }
    let names = Set(entries.map(\.name) + [Self.name])
    if let foreign = try FileSystem.list(directory).first(where: { !names.contains($0) }) {
      throw DataError(.invalid, "'\(FileSystem.join(directory, foreign))' does not belong to the checkpoint")
    }
    for entry in entries { try Self.verify(entry, in: directory) }
  }

  private static func verify(_ entry: Entry, in directory: String) throws {
    let path = FileSystem.join(directory, entry.name)
    guard let status = try FileSystem.status(of: path) else { throw DataError(.invalid, "'\(path)' is missing") }
    guard status.kind == .regular, status.bytes == entry.bytes else {
      throw DataError(.invalid, "'\(path)' has \(status.bytes) bytes, the manifest says \(entry.bytes)")
    }
    let file = try File.openForReading(path)
    var checksum = Checksum()
    var offset = 0
    while offset < entry.bytes {
      let bytes = try file.read(at: offset, count: min(1 << 20, entry.bytes - offset))
      guard !bytes.isEmpty else { break }
      checksum.update(bytes)
      offset += bytes.count
    }
    guard checksum.hex == entry.checksum else {
      throw DataError(.invalid, "'\(path)' has the checksum \(checksum.hex), the manifest says \(entry.checksum)")
    }
  }
}
