public import JSON
internal import Settings

/// What a `prepare.json` asks for: how raw rows are cleaned and turned into features.
///
/// Everything may be left out; the empty recipe takes numbers as they are and makes a feature of each category.
public struct Recipe: Sendable {
  /// An expression, and where the recipe has it.
  struct Formula: Sendable {
    let expression: Expression
    let origin: SettingProblem.Origin
    /// Its key in the recipe.
    let path: String
  }

  struct Polynomial: Sendable {
    var columns: [String]
    var degree: Int
    var interactionOnly: Bool
    var origin: SettingProblem.Origin
  }

  struct Interaction: Sendable {
    var columns: [String]
    var origin: SettingProblem.Origin
  }

  /// Which rows go to which split; nil where the options decide.
  public struct Splits: Equatable, Sendable {
    public var validation: Double?
    public var test: Double?
    public var seed: Int?
    public var group: String?
    public var time: String?
    /// The rows are in time as they stand.
    public var inOrder = false
  }

  public enum Duplicates: String, Sendable {
    case keep, drop
  }

  /// The name of the file, for messages.
  public internal(set) var source = "the recipe"
  /// The recipe as it was read: reading it again gives the same recipe.
  public internal(set) var json = JSONValue.object([JSONMember]())
  public internal(set) var target: String?
  public internal(set) var task = TargetTask.automatic
  public internal(set) var targetTransform = TargetTransform.none
  /// Texts that mean no value, beside those that always do.
  public internal(set) var missingValues: [String] = []
  public internal(set) var duplicates = Duplicates.keep
  public internal(set) var split = Splits()
  /// Nil takes all rows, unless an option says otherwise.
  public internal(set) var sample: SampleSettings?
  var targetOrigin = SettingProblem.Origin.file(nil)
  var filters: [Formula] = []
  var derived: [(name: String, formula: Formula)] = []
  var ignored: [(name: String, origin: SettingProblem.Origin)] = []
  var defaultMissing = MissingTreatment.error
  var defaultMalformed = BadValueTreatment.error
  var defaultUnseen = UnseenTreatment.error
  var numberTransformations: [Transformation] = []
  var categoryTransformations: [Transformation] = [.oneHot(dropFirst: false)]
  var interactions: [Interaction] = []
  var polynomial: Polynomial?
  private(set) var columns: [ColumnRecipe] = []
  private var places: [String: Int] = [:]

  /// The recipe that asks for nothing.
  public init() {}

  /// What it says of a column.
  public func column(_ name: String) -> ColumnRecipe {
    places[name].map { columns[$0] } ?? ColumnRecipe(name: name)
  }

  mutating func append(_ column: ColumnRecipe) {
    places[column.name] = columns.count
    columns.append(column)
  }

  /// The type that a column must be read as: the one that is asked for, or that its first transformation needs.
  public func type(of name: String) -> ColumnType? {
    let column = column(name)
    return column.type ?? column.transformations?.first?.columnType
  }

  /// What a text among the numbers or dates of a column is.
  public func malformed(_ name: String) -> BadValueTreatment { column(name).malformed ?? defaultMalformed }
}
