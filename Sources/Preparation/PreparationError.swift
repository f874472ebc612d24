/// Why a table could not be prepared or read: one message that names the file and the place in it, and a hint where the
/// likely mistake is known.
public struct PreparationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is; each has its exit code.
  public enum Kind: String, CaseIterable, Equatable, Sendable {
    /// The request contradicts itself or asks for what is not there: exit 64.
    case usage
    /// The data are wrong: exit 65.
    case invalid
    /// An input does not exist: exit 66.
    case missing
    /// The output exists already, or another process is writing it: exit 73.
    case exists
    /// Reading or writing failed: exit 74.
    case io
    /// Reading or writing is not permitted: exit 77.
    case permission

    /// The exit code of the command, as the README lists them.
    public var exitCode: Int32 {
      switch self {
      case .usage: 64
      case .invalid: 65
      case .missing: 66
      case .exists: 73
      case .io: 74
      case .permission: 77
      }
    }
  }

  /// A place in a text file. Lines and columns count from 1; a column is a character of the line, not a field of the
  /// table.
  public struct Place: Equatable, Sendable, CustomStringConvertible {
    public var path: String
    public var line: Int
    public var column: Int

    public init(path: String, line: Int, column: Int) {
      self.path = path
      self.line = line
      self.column = column
    }

    /// `path:line:column`, the form that editors jump to.
    public var description: String { "\(path):\(line):\(column)" }
  }

  public var kind: Kind
  public var place: Place?
  public var message: String
  public var hint: String?

  public init(_ kind: Kind, at place: Place? = nil, _ message: String, hint: String? = nil) {
    self.kind = kind
    self.place = place
    self.message = message
    self.hint = hint
  }

  /// The place and the message in one line, without the hint.
  public var description: String {
    guard let place else { return message }
    return "\(place): \(message)"
  }
}
