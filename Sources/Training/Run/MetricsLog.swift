import Data
import Files
package import JSON

/// `metrics.jsonl`: one object a line.
public final class MetricsLog {
  public static let name = "metrics.jsonl"
  /// The longest log that a resumed run can go on with.
  private static let mostBytes = 1 << 32

  private let path: String
  private let file: File

  /// Opens the log for appending.
  /// - Parameters:
  ///   - keepingThrough: lines of later steps are dropped first: a resumed run writes them again.
  ///   - key: what counts the steps in a line.
  public init(path: String, keepingThrough step: Int?, key: String = "step") throws {
    self.path = path
    if let step, try FileSystem.status(of: path) != nil {
      try Self.cut(path, after: step, key)
      file = try File.openForAppending(path)
    } else {
      file = try File.create(path)
    }
  }

  /// Appends a line.
  package func append(_ members: [(String, JSONValue)]) throws {
    try file.write(JSONValue.object(members).serialized(pretty: false) + "\n")
  }

  /// Brings the lines so far to the disk.
  public func synchronize() throws {
    try file.synchronize()
  }

  private static func cut(_ path: String, after step: Int, _ key: String) throws {
    let bytes = try FileSystem.read(path, limit: mostBytes)
    var kept: [UInt8] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      // A line that was cut off by a crash, or of a step that comes again.
      guard let node = try? JSONNode(parsing: Array(line), dialect: .json), let at = node[key]?.asInt, at <= step
      else {
        continue
      }
      kept += line + [UInt8(ascii: "\n")]
    }
    try FileSystem.write(kept, to: path)
  }
}
