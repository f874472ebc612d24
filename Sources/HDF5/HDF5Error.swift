/// What went wrong with an HDF5 file, with everything the library said about it.
public struct HDF5Error: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Equatable, Sendable {
    /// No file, or no object of that name in it.
    case missing
    case permission
    /// A directory where a file is wanted.
    case directory
    case notHDF5
    /// The file ends before its data do.
    case truncated
    /// A writer died and left the file marked as open.
    case unclosed
    /// Stored bytes are not those that were written.
    case checksum
    /// A filter other than deflate, shuffle and Fletcher32.
    case filter
    /// Something that a data file has no business with: links out of it, external storage, sizes beyond reason.
    case forbidden
    /// The stored type or shape is not the one asked for.
    case typeMismatch
    case noSpace
    case other
  }

  public let kind: Kind
  /// One sentence for the user; names the file and the place in it.
  public let message: String
  /// The function of the library that failed, empty if none was called.
  public let call: String
  /// The library's whole error stack, the call first, the cause last.
  public let stack: [String]
  /// The file.
  public let path: String

  public var description: String { message }

  init(_ kind: Kind, _ message: String, path: String, call: String = "", stack: [String] = []) {
    self.kind = kind
    self.message = message
    self.call = call
    self.stack = stack
    self.path = path
  }
}
