internal import Settings

/// What to do where a value is missing.
public enum MissingTreatment: Equatable, Sendable {
  case error
  /// Leave the row out.
  case drop
  case mean
  case median
  case mostFrequent
  case number(Double)
  case text(String)

  /// By the name in a recipe; constants have none.
  init?(name: String) {
    switch name {
    case "error": self = .error
    case "drop": self = .drop
    case "mean": self = .mean
    case "median": self = .median
    case "most_frequent": self = .mostFrequent
    default: return nil
    }
  }

  var name: String {
    switch self {
    case .error: "error"
    case .drop: "drop"
    case .mean: "mean"
    case .median: "median"
    case .mostFrequent: "most_frequent"
    case .number, .text: "constant"
    }
  }
}

/// What to do with a value that cannot be used as it is.
public enum BadValueTreatment: String, Sendable {
  case error
  case missing
}

/// What to do with a category that the training rows lack.
public enum UnseenTreatment: String, Sendable {
  case error
  case missing
  /// It is none of the categories.
  case ignore
}

/// What a recipe says of one column; nil where the defaults hold.
public struct ColumnRecipe: Sendable {
  public let name: String
  /// Where the recipe says it.
  let origin: SettingProblem.Origin
  public var type: ColumnType?
  public var missing: MissingTreatment?
  public var indicator = false
  public var minimum: Double?
  public var maximum: Double?
  public var outOfRange = BadValueTreatment.error
  public var malformed: BadValueTreatment?
  public var unseen: UnseenTreatment?
  public var lags: [Int] = []
  public var transformations: [Transformation]?

  init(name: String, origin: SettingProblem.Origin = .file(nil)) {
    self.name = name
    self.origin = origin
  }
}
