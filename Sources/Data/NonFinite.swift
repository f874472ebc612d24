/// What happens to rows that hold a number which is not finite: not a number, infinite, or too large for a 32-bit float.
public enum NonFinite: Equatable, Sendable {
  /// An error that names shard, row and column.
  case fail
  /// The row is left out, as if it were not there; for targets as for features.
  case skipRow
  /// A feature becomes this number, in the units of the file; nil is the mean of its column in the training rows. Targets fail.
  case replace(Float?)

  /// What a user calls them.
  public static let names = ["fail", "skip_row", "replace"]

  public var name: String {
    switch self {
    case .fail: Self.names[0]
    case .skipRow: Self.names[1]
    case .replace: Self.names[2]
    }
  }

  /// - Parameter replacement: what features become under `replace`.
  public init?(named name: String, replacement: Float? = nil) {
    guard let policy = [.fail, .skipRow, .replace(replacement)].first(where: { (one: NonFinite) in one.name == name })
    else { return nil }
    self = policy
  }
}
