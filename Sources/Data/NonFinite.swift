/// What happens to rows that hold a number which is not finite: not a number, infinite, or too large for a 32-bit float.
public enum NonFinite: Equatable, Sendable {
  /// An error that names shard, row and column.
  case fail
  /// The row is left out, as if it were not there; for targets as for features.
  case skipRow
  /// A feature becomes this number, in the units of the file; nil is the mean of its column in the training rows. Targets fail.
  case replace(Float?)
}
