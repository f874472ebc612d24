import Files
import JSON

/// The last lines of a `metrics.jsonl`, of which only the end is read.
struct LastMetrics {
  private static let tailBytes = 1 << 16

  /// The last line of a step; nil where there is none.
  private(set) var training: JSONNode?
  /// The last line of a validation.
  private(set) var validation: JSONNode?

  init(_ path: String) throws(FilesError) {
    guard try FileSystem.status(of: path) != nil else { return }
    let file = try File.openForReading(path)
    let start = max(0, try file.size - Self.tailBytes)
    let bytes = try file.read(at: start, count: Self.tailBytes)
    // What is cut at either end is no whole object, and is passed over.
    for line in bytes.split(separator: UInt8(ascii: "\n")).reversed() {
      if training != nil, validation != nil { break }
      guard let node = try? JSONNode(parsing: Array(line), dialect: .json), node.asObject != nil else { continue }
      if training == nil, node["loss"] != nil { training = node }
      if validation == nil, node["validation_loss"] != nil { validation = node }
    }
  }
}
