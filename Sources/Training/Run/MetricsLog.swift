import Data
import Files
package import JSON

/// `metrics.jsonl`: one object a line.
public final class MetricsLog {
  public static let name = "metrics.jsonl"
  private static let newline = UInt8(ascii: "\n")
  /// As many bytes of the log's end are looked at first.
  private static let leastWindow = 1 << 16

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

  /// Cuts off what comes after the last line of `step` or an earlier one, and gives that line its end. The log is read from its end, as far as
  /// need be: it may be long, and its readers may have it open.
  private static func cut(_ path: String, after step: Int, _ key: String) throws {
    let reading = try File.openForReading(path)
    let size = try reading.size
    var end = 0
    var window = leastWindow
    while size > 0 {
      let start = max(0, size - window)
      let bytes = try reading.read(at: start, count: size - start)
      // What the window begins with may be the rest of a line.
      if let kept = lastKept(of: bytes, isWhole: start == 0, step, key) {
        end = start + kept
        break
      }
      if start == 0 { break }
      window *= 4
    }
    let file = try File.openForWriting(path)
    try file.cut(to: end)
    if end > 0, try reading.read(at: end - 1, count: 1) != [newline] { try file.write([newline].span, at: end) }
    try file.close()
  }

  /// Where the last line that stays ends, with its newline if it has one; nil where `bytes` hold none.
  private static func lastKept(of bytes: [UInt8], isWhole: Bool, _ step: Int, _ key: String) -> Int? {
    var end = bytes.count
    while end > 0 {
      let first = bytes[..<(end - 1)].lastIndex(of: newline).map { $0 + 1 } ?? 0
      guard first > 0 || isWhole else { return nil }
      let line = bytes[first..<end]
      // One that was cut off by a crash, or of a step that comes again, does not stay.
      if let at = try? JSONNode(parsing: Array(line), dialect: .json)[key]?.asInt, at <= step { return end }
      end = first
    }
    return nil
  }
}
