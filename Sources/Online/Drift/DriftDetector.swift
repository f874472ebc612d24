public import JSON

/// Notices that the mean of a sequence of values changes: of errors, of losses or of a feature.
///
/// The signals are those of River 0.26.1 for the same settings and values, row by row. What is not finite is passed over.
public struct DriftDetector: Equatable, Sendable {
  public let settings: DriftSettings
  // One of the three, each in its own place so that an update does not copy a window.
  private var adwin: ADWIN?
  private var ddm: DDM?
  private var pageHinkley: PageHinkley?

  /// A detector that has seen nothing.
  /// - Throws: `OnlineError` for settings that make no sense.
  public init(_ settings: DriftSettings) throws(OnlineError) {
    self.settings = settings
    switch settings {
    case .adwin(let settings): adwin = try ADWIN(settings)
    case .ddm(let settings): ddm = try DDM(settings)
    case .pageHinkley(let settings): pageHinkley = try PageHinkley(settings)
    }
  }

  /// Takes note of the next value; after a drift the value is the first of a new sequence.
  ///
  /// - Parameter value: for `ddm` 1 for an error and 0 for none.
  public mutating func update(_ value: Double) -> DriftSignal {
    guard value.isFinite else { return .none }
    return adwin?.update(value) ?? ddm?.update(value) ?? pageHinkley?.update(value) ?? .none
  }

  /// Whether the mean rose, where the last value gave a drift; `ddm` looks for nothing else.
  public var hasRisen: Bool { adwin?.hasRisen ?? pageHinkley?.hasRisen ?? true }

  /// The state; a detector made from it goes on bit for bit.
  public var json: JSONValue { adwin?.json ?? ddm?.json ?? pageHinkley?.json ?? .null }

  /// Goes on where the detector that gave `json` was.
  /// - Throws: `OnlineError` for a state that is none of a detector with these settings.
  public init(_ settings: DriftSettings, json: JSONNode) throws(OnlineError) {
    self.settings = settings
    let state = StateReader("a drift detector of kind \"\(settings.kind.rawValue)\"", json)
    switch settings {
    case .adwin(let settings): adwin = try ADWIN(settings, state)
    case .ddm(let settings): ddm = try DDM(settings, state)
    case .pageHinkley(let settings): pageHinkley = try PageHinkley(settings, state)
    }
  }
}
