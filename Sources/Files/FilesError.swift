import CProcess
import Glibc

/// What the operating system refused, and on which file.
public struct FilesError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// There is nothing at the path, or a folder on the way is missing.
    case missing
    /// Not allowed, or a file system that is read-only.
    case permission
    /// Something is there already, or a folder is not empty.
    case exists
    /// The disk or the user's quota is full.
    case noSpace
    /// A file where a folder is wanted.
    case notDirectory
    /// A folder where a file is wanted.
    case isDirectory
    /// Another process holds the lock.
    case locked
    /// More bytes than the caller allows, or than the file system does.
    case tooLarge
    /// What the file holds is not what its format or its checksum says.
    case damaged
    case other
  }

  public let kind: Kind
  /// What was tried, as a verb for messages: "open", "write".
  public let action: String
  /// The C function that failed.
  public let call: String
  public let path: String
  /// The value of `errno`.
  public let code: Int32
  /// What else is known, for people.
  public let note: String?

  /// - Parameter code: A value of `errno`; the kind follows from it.
  public init(action: String, call: String, path: String, code: Int32, note: String? = nil) {
    self.kind = Self.kind(of: code, call: call)
    self.action = action
    self.call = call
    self.path = path
    self.code = code
    self.note = note
  }

  /// The content of the file is not what it has to be.
  init(damaged path: String, _ note: String) {
    kind = .damaged
    action = "read"
    call = "read"
    self.path = path
    code = EIO
    self.note = note
  }

  /// "cannot open 'x/y.h5': No such file or directory".
  public var description: String {
    var text = "cannot \(action) '\(path)': "
    if kind == .damaged, let note { return text + note }
    text += kind == .locked ? "another process holds the lock" : unsafe String(cString: strerror(code))
    if let note {
      text += " (\(note))"
    } else if kind == .tooLarge, isOutput {
      text += " (the limit is that of ulimit -f or of the file system)"
    }
    return text
  }

  /// Whether something was to be made, changed or removed, rather than looked at.
  public var isOutput: Bool { !["open", "look at", "read", "list", "find"].contains(action) }

  private static func kind(of code: Int32, call: String) -> Kind {
    switch code {
    case ENOENT: .missing
    case EACCES, EPERM, EROFS: .permission
    case EEXIST, ENOTEMPTY: .exists
    case ENOSPC, EDQUOT: .noSpace
    case ENOTDIR: .notDirectory
    case EISDIR: .isDirectory
    case EWOULDBLOCK where call == "flock": .locked
    case EFBIG, EOVERFLOW: .tooLarge
    default: .other
    }
  }
}

/// Runs system calls that concern `path` and gives their failure the name of the file.
func naming<R>(
  _ path: String, _ action: String, _ body: () throws(SystemCall.Failure) -> R
) throws(FilesError) -> R {
  do {
    return try body()
  } catch {
    throw FilesError(action: action, call: error.call.rawValue, path: path, code: error.code)
  }
}
