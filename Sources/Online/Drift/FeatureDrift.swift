public import JSON
public import Kernels

/// A detector for each column of the features.
public struct FeatureDrift: Equatable, Sendable {
  private var detectors: [DriftDetector]

  /// Detectors that have seen nothing. The false alarms that `adwin` bears are those of all columns together: each has its share of `delta`.
  /// - Throws: `OnlineError` for settings that make no sense, and for `ddm`, which takes errors only.
  public init(_ settings: DriftSettings, columns: Int) throws(OnlineError) {
    let detector = try DriftDetector(Self.share(settings, columns))
    detectors = [DriftDetector](repeating: detector, count: columns)
  }

  private static func share(_ settings: DriftSettings, _ columns: Int) throws(OnlineError) -> DriftSettings {
    guard columns > 0 else { throw OnlineError("drift of \(columns) columns") }
    switch settings {
    case .adwin(var settings):
      settings.delta /= Double(columns)
      return .adwin(settings)
    case .ddm: throw OnlineError("ddm takes errors, not features")
    case .pageHinkley: return settings
    }
  }

  /// Takes note of a row of `features`, rows × columns.
  /// - Returns: the columns that drifted with it. Missing values are passed over.
  public mutating func update(_ features: borrowing FloatBuffer, row: Int) -> [Int] {
    var drifted: [Int] = []
    let values = features.span.extracting(row * detectors.count..<(row + 1) * detectors.count)
    for column in detectors.indices where detectors[column].update(Double(values[column])) == .drift {
      drifted.append(column)
    }
    return drifted
  }

  /// The state; see `DriftDetector.json`.
  public var json: JSONValue { .array(detectors.map(\.json)) }

  /// Goes on where those that gave `json` were.
  public init(_ settings: DriftSettings, columns: Int, json: JSONNode) throws(OnlineError) {
    let settings = try Self.share(settings, columns)
    guard let states = json.asArray, states.count == columns else {
      throw OnlineError("the state of the drift detectors is none of \(columns) columns")
    }
    detectors = try states.map { (state) throws(OnlineError) in try DriftDetector(settings, json: state) }
  }
}
