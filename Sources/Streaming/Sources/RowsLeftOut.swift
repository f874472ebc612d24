import JSON

/// How many rows were not learned, and why.
public struct RowsLeftOut: Equatable, Sendable {
  /// They could not be read, or had no target.
  public var malformed = 0
  /// Values were missing, or not finite.
  public var incomplete = 0
  /// They came too late.
  public var late = 0
  /// A server gave them away before they were read.
  public var missing = 0
  /// The sample did not take them.
  public var unsampled = 0

  private static var reasons: [(name: String, count: WritableKeyPath<RowsLeftOut, Int>)] {
    [
      ("malformed", \.malformed), ("incomplete", \.incomplete), ("late", \.late), ("missing", \.missing),
      ("unsampled", \.unsampled),
    ]
  }

  public init() {}

  /// Each reason with its number of rows.
  public var named: [(name: String, count: Int)] { Self.reasons.map { ($0.name, self[keyPath: $0.count]) } }

  /// The numbers, for other ranks.
  var counts: [Int] { named.map(\.count) }

  init(counts: [Int]) {
    for (reason, count) in zip(Self.reasons, counts) { self[keyPath: reason.count] = count }
  }

  static func += (sum: inout RowsLeftOut, other: RowsLeftOut) {
    for reason in reasons { sum[keyPath: reason.count] += other[keyPath: reason.count] }
  }

  var members: [(String, JSONValue)] { named.map { ($0.name, .integer($0.count)) } }

  /// - Returns: nil where a reason has no number.
  init?(_ node: JSONNode) {
    for reason in Self.reasons {
      guard let count = node[reason.name]?.asInt, count >= 0 else { return nil }
      self[keyPath: reason.count] = count
    }
  }
}
