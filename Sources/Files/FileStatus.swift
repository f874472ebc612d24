import CProcess
import Glibc

/// What lies at a path.
public struct FileStatus: Equatable, Sendable {
  public enum Kind: Sendable {
    case regular
    case directory
    /// A pipe, a device, a socket; a symbolic link counts as what it points to.
    case other
  }

  public let kind: Kind
  /// The size in bytes; of meaning for regular files only.
  public let bytes: Int
  /// When it was last written, in nanoseconds since 1970.
  public let modified: Int
  /// Tells files of one file system apart: another number is another file, also under the same name.
  public let number: UInt64

  init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFREG: kind = .regular
    case S_IFDIR: kind = .directory
    default: kind = .other
    }
    bytes = Int(status.st_size)
    number = UInt64(status.st_ino)
    modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
  }
}
