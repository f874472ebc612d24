/// How long a rank may stay in a phase without going on in it.
public struct Deadlines: Equatable, Sendable {
  public enum Limit: Equatable, Sendable {
    /// Ten times the longest that the run has seen, within bounds that no slow file system reaches.
    case learned
    /// So many seconds; 0 is no limit.
    case seconds(Double)
  }

  private var limits = [Limit](repeating: .learned, count: Phase.allCases.count)

  public init() {}

  public subscript(phase: Phase) -> Limit {
    get { limits[Int(phase.rawValue)] }
    set { limits[Int(phase.rawValue)] = newValue }
  }

  /// Whether there is any limit to watch.
  public var isOff: Bool { limits.allSatisfy { $0 == .seconds(0) } }

  /// Seconds that may go by before a rank has begun; nil where there is no limit.
  public var startSeconds: Double? { seconds(of: .start, longest: nil) }

  /// The least of a learned limit: five minutes.
  static let leastLearned = 300.0
  /// The limit of what the run has not seen yet, and of what happens seldom: half an hour.
  static let unknown = 1_800.0
  /// How much longer than ever before is suspicious.
  static let factor = 10.0

  /// Seconds that `phase` may last; nil where there is no limit.
  /// - Parameter longest: the longest that the run has seen; nil where it has seen none.
  func seconds(of phase: Phase, longest: Double?) -> Double? {
    switch self[phase] {
    case .seconds(let seconds): seconds > 0 ? seconds : nil
    case .learned:
      switch phase {
      case .start, .checkpoint: max(Self.unknown, Self.factor * (longest ?? 0))
      default: longest.map { max(Self.leastLearned, Self.factor * $0) } ?? Self.unknown
      }
    }
  }
}
