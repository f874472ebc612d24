public import Settings

/// A recipe that has been matched with the columns of a table: what is to be done, without what is to be fitted.
///
/// The order is: values out of range → derived columns → filters → missing values → transformations → products.
public struct Pipeline: Sendable {
  /// A column of the table, or one that is derived from it.
  struct PlannedColumn: Sendable {
    enum Origin: Sendable {
      /// Its place in the schema.
      case table(Int)
      case derived(BoundExpression)
    }

    let schema: ColumnSchema
    let origin: Origin
    let recipe: ColumnRecipe
    /// What happens to missing values of a feature or the target; those of other columns do not matter.
    var missing = MissingTreatment.error
    var malformed = BadValueTreatment.error
    var unseen = UnseenTreatment.error
    var transformations: [Transformation] = []
    var isFeature = false
    /// Whether it depends on the target of its own row.
    var seesTarget = false

    var name: String { schema.name }

    /// The constant to fill with, where it is a text.
    var fillText: String? { if case .text(let text) = missing { text } else { nil } }
  }

  public let recipe: Recipe
  /// The columns of the table as it is read.
  public let schema: Schema
  /// The name of the target; nil where rows are only to be turned into features.
  public let target: String?
  /// The columns of the table, then the derived ones in the order in which they are computed.
  let columns: [PlannedColumn]
  let filters: [BoundExpression]
  let products: [Product]
  let targetColumn: Int?
  /// How many rows of the table before a block `clean` needs: those that lags look back to.
  public let historyRows: Int

  /// Matches a recipe with a table.
  ///
  /// - Parameter target: the column to predict.
  /// - Throws: `InvalidSettings` with everything that does not fit.
  public init(_ recipe: Recipe, schema: Schema, target: String?) throws(InvalidSettings) {
    var planner = PipelinePlanner(recipe: recipe, schema: schema, target: target)
    planner.plan()
    guard planner.problems.isEmpty else { throw InvalidSettings(source: recipe.source, problems: planner.problems) }
    self.recipe = recipe
    self.schema = schema
    self.target = target
    columns = planner.columns
    filters = planner.filters
    products = planner.products
    targetColumn = target.flatMap { schema.index(of: $0) }
    historyRows = planner.historyRows
  }

  /// Whether the features are the columns of the table as they are, without a row or a value changed: the recipe asks for
  /// nothing but perhaps that rows with missing values are dropped.
  public var isPlain: Bool {
    filters.isEmpty && historyRows == 0 && products.isEmpty
      && recipe.targetTransform == .none
      && columns.enumerated().allSatisfy { index, column in
        guard case .table = column.origin, column.recipe.minimum == nil, column.recipe.maximum == nil else {
          return false
        }
        if index == targetColumn { return true }
        guard column.isFeature, column.transformations.isEmpty, !column.recipe.indicator else { return false }
        return column.missing == .error || column.missing == .drop
      }
  }

  /// The places in the schema of the columns that features are made of, and where rows are to be judged also the target and
  /// what filters look at.
  public func neededColumns(withTarget: Bool) -> Set<Int> {
    var needed: Set<Int> = []
    func need(_ index: Int) {
      switch columns[index].origin {
      case .table(let place): needed.insert(place)
      case .derived(let expression): for column in expression.columns { need(column) }
      }
    }
    for (index, column) in columns.enumerated() where column.isFeature { need(index) }
    guard withTarget else { return needed }
    if let targetColumn { needed.insert(targetColumn) }
    for filter in filters { for column in filter.columns { need(column) } }
    return needed
  }
}
