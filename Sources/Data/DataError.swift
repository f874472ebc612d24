package import Files
package import HDF5
import JSON
import Text

/// What is wrong with data, a data set or a model file, said for the person who has to mend it.
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: String, CaseIterable, Sendable {
    /// What was named is not there.
    case missing
    case permission
    /// The contents of a file are not what they should be.
    case invalid
    /// Reading or writing failed.
    case io
    /// An output could not be made.
    case output
    /// What was asked for makes no sense for these data.
    case usage
  }

  public let kind: Kind
  /// Names the file and the place in it; may have several lines, the last without a line feed.
  public let message: String
  /// The likely mistake, or what to do.
  public let hint: String?

  public init(_ kind: Kind, _ message: String, hint: String? = nil) {
    self.kind = kind
    self.message = message
    self.hint = hint
  }

  public var description: String { hint.map { "\(message)\n\($0)" } ?? message }
}

extension DataError {
  package init(_ error: HDF5Error) {
    let kind: Kind =
      switch error.kind {
      case .missing, .directory: .missing
      case .permission: .permission
      case .noSpace: .io
      case .notHDF5, .truncated, .unclosed, .checksum, .filter, .forbidden, .typeMismatch, .other: .invalid
      }
    self.init(kind, error.message)
  }

  /// An error of the file system while something is read.
  package init(reading error: FilesError) {
    let kind: Kind =
      switch error.kind {
      case .missing, .notDirectory, .isDirectory: .missing
      case .permission: .permission
      case .tooLarge, .damaged: .invalid
      default: .io
      }
    self.init(kind, error.description)
  }

  /// An error of the file system while something is written.
  init(writing error: FilesError) {
    let kind: Kind =
      switch error.kind {
      case .missing, .notDirectory, .isDirectory, .exists, .locked: .output
      case .permission: .permission
      default: .io
      }
    self.init(kind, error.description)
  }

  init(_ error: JSONError, in path: String) {
    self.init(.invalid, "'\(path)', \(error)")
  }

  /// Runs `body` and turns what HDF5 throws into a `DataError`.
  package static func wrapping<Result: ~Copyable>(_ body: () throws(HDF5Error) -> Result) throws(DataError) -> Result {
    do { return try body() } catch { throw DataError(error) }
  }
}

extension DataError {
  /// Runs `body` and turns what the file system throws while something is read into a `DataError`.
  package static func reading<Result: ~Copyable>(_ body: () throws(FilesError) -> Result) throws(DataError) -> Result {
    do { return try body() } catch { throw DataError(reading: error) }
  }

  /// This error as bytes, to send to other ranks.
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    encode(into: &writer)
    return writer.bytes
  }

  /// The error that `encoded` made `bytes` of.
  public init(decoding bytes: [UInt8]) throws(DataError) {
    var reader = ByteReader(bytes)
    self = try DataError(from: &reader)
    try reader.finish()
  }

  func encode(into writer: inout ByteWriter) {
    writer.write(kind.rawValue)
    writer.write(message)
    writer.write(hint)
  }

  init(from reader: inout ByteReader) throws(DataError) {
    guard let kind = Kind(rawValue: try reader.readString()) else { throw ByteReader.damaged }
    self.init(
      kind, try reader.readString(), hint: try reader.readOptional { (r) throws(DataError) in try r.readString() })
  }
}
