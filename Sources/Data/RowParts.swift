/// Which parts of its rows a reader reads: in a pipeline the first stage has no use for targets, the last none for features, and
/// those between for neither.
public struct RowParts: OptionSet, Sendable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let features = RowParts(rawValue: 1)
  public static let targets = RowParts(rawValue: 2)
  public static let all: RowParts = [.features, .targets]
}
