/// What a detector says after a value.
public enum DriftSignal: Int, Comparable, Sendable {
  case none
  /// The values may be about to change.
  case warning
  /// They have changed.
  case drift

  public static func < (a: DriftSignal, b: DriftSignal) -> Bool { a.rawValue < b.rawValue }

  /// The word for it in reports.
  public var word: String {
    switch self {
    case .none: "none"
    case .warning: "warning"
    case .drift: "drift"
    }
  }
}
