internal import Settings
internal import Text

/// Matches a recipe with the columns of a table and collects everything that does not fit.
struct PipelinePlanner {
  private typealias PlannedColumn = Pipeline.PlannedColumn

  let recipe: Recipe
  let schema: Schema
  let target: String?
  private(set) var problems: [SettingProblem] = []
  private(set) var columns: [Pipeline.PlannedColumn] = []
  private(set) var filters: [BoundExpression] = []
  private(set) var historyRows = 0
  private(set) var products: [Product] = []

  private var scope = ExpressionScope([])
  /// How many rows before a row each column looks at.
  private var history: [Int] = []

  init(recipe: Recipe, schema: Schema, target: String?) {
    self.recipe = recipe
    self.schema = schema
    self.target = target
  }

  mutating func plan() {
    if let target, schema.index(of: target) == nil {
      let near = closest(to: target, among: schema.names).map { "; did you mean \(quoted($0))?" } ?? ""
      reject(recipe.targetOrigin, "there is no target \(quoted(target))\(near)")
    }
    for (index, column) in schema.columns.enumerated() { append(column, .table(index), history: 0) }
    deriveLags()
    derive()
    for formula in recipe.filters {
      guard let bound = bind(formula) else { continue }
      guard bound.kind == .condition else {
        reject(formula.origin, "'\(formula.path)' is \(bound.kind.words), not a condition; compare it, as in x > 0")
        continue
      }
      filters.append(bound)
      historyRows = max(historyRows, bound.history)
    }
    checkNames()
    chooseFeatures()
    checkProducts()
  }

  private mutating func reject(_ origin: SettingProblem.Origin, _ message: String) {
    problems.append(SettingProblem(origin: origin, message: message))
  }

  // MARK: Columns

  private mutating func append(_ column: ColumnSchema, _ origin: Pipeline.PlannedColumn.Origin, history rows: Int) {
    scope.append(column)
    history.append(rows)
    historyRows = max(historyRows, rows)
    var planned = PlannedColumn(schema: column, origin: origin, recipe: recipe.column(column.name))
    switch origin {
    case .table: planned.seesTarget = column.name == target
    case .derived(let expression): planned.seesTarget = expression.presentColumns.contains { columns[$0].seesTarget }
    }
    columns.append(planned)
  }

  private mutating func deriveLags() {
    for column in schema.columns {
      let asked = recipe.column(column.name)
      guard !asked.lags.isEmpty else { continue }
      guard column.type.isNumeric else {
        reject(asked.origin, "'columns.\(column.name).lags' needs numbers, and the column is \(column.type.rawValue)")
        continue
      }
      for lag in asked.lags {
        // The name in backticks, with those in it doubled.
        let name = column.name.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``")
        do throws(ExpressionError) {
          let bound = try BoundExpression(try Expression("lag(`\(name)`, \(lag))"), in: scope, history: history)
          add("\(column.name)_lag\(lag)", bound, asked.origin)
        } catch {
          reject(asked.origin, "'columns.\(column.name).lags' \(error)")
        }
      }
    }
  }

  private mutating func derive() {
    for (name, formula) in recipe.derived {
      guard let bound = bind(formula) else { continue }
      add(name, bound, formula.origin)
    }
  }

  private mutating func add(_ name: String, _ expression: BoundExpression, _ origin: SettingProblem.Origin) {
    guard scope.index(of: name) == nil else {
      return reject(origin, "there is a column \(quoted(name)) already; give the derived one another name")
    }
    append(
      ColumnSchema(name: name, type: expression.type, dictionary: expression.dictionary), .derived(expression),
      history: expression.history)
  }

  private mutating func bind(_ formula: Recipe.Formula) -> BoundExpression? {
    do throws(ExpressionError) {
      return try BoundExpression(formula.expression, in: scope, history: history)
    } catch {
      reject(formula.origin, "'\(formula.path)' \(error)")
      return nil
    }
  }

  /// Names in the recipe that are no columns.
  private mutating func checkNames() {
    for column in recipe.columns {
      guard let index = scope.index(of: column.name) else {
        reject(column.origin, "'columns.\(column.name)': \(scope.unknown(column.name))")
        continue
      }
      guard case .derived = columns[index].origin else { continue }
      if column.type != nil || column.malformed != nil || !column.lags.isEmpty || column.minimum != nil
        || column.maximum != nil
      {
        reject(
          column.origin,
          "'columns.\(column.name)' is derived: type, malformed, lags and range are for columns of the table")
      }
    }
    for (name, origin) in recipe.ignored where scope.index(of: name) == nil {
      reject(origin, "'ignore': \(scope.unknown(name))")
    }
    for (key, name) in [("split.group", recipe.split.group), ("split.time", recipe.split.time)] {
      if let name, schema.index(of: name) == nil { reject(.file(nil), "'\(key)': \(scope.unknown(name))") }
    }
  }

  // MARK: Features

  private mutating func chooseFeatures() {
    let ignored = Set(recipe.ignored.map(\.name))
    for index in columns.indices {
      let column = columns[index]
      let isTarget = column.name == target && index < schema.columns.count
      columns[index].isFeature = !isTarget && !ignored.contains(column.name)
      columns[index].malformed = column.recipe.malformed ?? recipe.defaultMalformed
      columns[index].unseen = column.recipe.unseen ?? recipe.defaultUnseen
      checkRange(column)
      if isTarget { planTarget(index) }
      guard columns[index].isFeature else { continue }
      if column.seesTarget {
        reject(
          recipe.derived.first { $0.name == column.name }?.formula.origin ?? column.recipe.origin,
          "the derived column \(quoted(column.name)) looks at the target of its own row; 'ignore' it, or use lag()")
      }
      planMissing(index)
      planTransformations(index)
    }
    if !columns.contains(where: \.isFeature) { reject(.file(nil), "there is no column left for a feature") }
  }

  private mutating func checkRange(_ column: Pipeline.PlannedColumn) {
    guard column.recipe.minimum != nil || column.recipe.maximum != nil, !column.schema.type.isNumeric else { return }
    reject(
      column.recipe.origin,
      "'columns.\(column.name)' has a range, and the column is \(column.schema.type.rawValue)")
  }

  private mutating func planTarget(_ index: Int) {
    let column = columns[index]
    switch column.recipe.missing ?? recipe.defaultMissing {
    case .drop: columns[index].missing = .drop
    case .error: columns[index].missing = .error
    case .mean, .median, .mostFrequent, .number, .text:
      columns[index].missing = .error
      if let asked = column.recipe.missing {
        reject(
          column.recipe.origin,
          "'columns.\(column.name).missing' is \"\(asked.name)\", and the column is the target: it cannot be made up")
      }
    }
    if column.recipe.transformations != nil {
      reject(
        column.recipe.origin,
        "'columns.\(column.name).transform' is for features, and the column is the target; see 'target_transform'")
    }
  }

  private mutating func planMissing(_ index: Int) {
    let column = columns[index]
    let isNumeric = column.schema.type.isNumeric
    var treatment: MissingTreatment
    if let asked = column.recipe.missing {
      treatment = asked
    } else if case .derived(let expression) = column.origin, expression.history > 0 {
      // The first rows have nothing to look back to.
      treatment = .drop
    } else {
      treatment = recipe.defaultMissing
      if !isNumeric, treatment == .mean || treatment == .median { treatment = .mostFrequent }
    }
    if column.schema.type == .boolean, treatment == .mean || treatment == .median, column.recipe.missing == nil {
      treatment = .mostFrequent
    }
    switch treatment {
    case .mean where !isNumeric, .median where !isNumeric:
      reject(
        column.recipe.origin,
        "'columns.\(column.name).missing' is \"\(treatment.name)\", and the column is \(column.schema.type.rawValue)")
    case .number(let number) where !isNumeric: treatment = .text(ClassIndex.name(number))
    case .text(let text) where column.schema.type == .dateTime:
      let bytes = Array(text.utf8)
      if let seconds = DateParser.seconds(bytes.span, 0..<bytes.count) {
        treatment = .number(seconds)
      } else {
        reject(column.recipe.origin, "'columns.\(column.name).fill' is no date")
      }
    case .text where isNumeric:
      reject(
        column.recipe.origin,
        "'columns.\(column.name).fill' is a text, and the column is \(column.schema.type.rawValue)")
    default: break
    }
    columns[index].missing = treatment
    if columns[index].unseen == .missing, treatment == .error || treatment == .drop, column.schema.type == .category {
      reject(
        column.recipe.origin,
        "the column \(quoted(column.name)) takes unseen categories for missing, and has nothing to fill them with: "
          + "'missing' must be \"most_frequent\" or a constant")
    }
  }

  private mutating func planTransformations(_ index: Int) {
    let column = columns[index]
    let type = column.schema.type
    let chain =
      column.recipe.transformations ?? (type.isNumeric ? (type == .dateTime ? [] : recipe.numberTransformations) : [])
    let key = "columns.\(column.name).transform"
    columns[index].transformations = chain
    switch type {
    case .integer, .real, .boolean: break
    case .category where column.recipe.transformations == nil:
      columns[index].transformations = recipe.categoryTransformations
    case .text where chain.isEmpty:
      return reject(
        column.recipe.origin,
        "the column \(quoted(column.name)) is text: 'ignore' it, or let '\(key)' be \"hashed\" or \"one_hot\"")
    case .dateTime where chain.isEmpty:
      return reject(
        column.recipe.origin,
        "the column \(quoted(column.name)) holds dates: 'ignore' it, or let '\(key)' be \"date_parts\"")
    case .category, .text, .dateTime: break
    }
    for (place, transformation) in columns[index].transformations.enumerated() {
      if place == 0 {
        let wanted = transformation.columnType
        let fits = wanted == type || wanted == nil && type.isNumeric && type != .dateTime
        guard !fits else { continue }
        let needs = wanted.map { "a column of type \($0.rawValue)" } ?? "numbers"
        reject(
          column.recipe.origin,
          "'\(key)': \"\(transformation.name)\" needs \(needs), and \(quoted(column.name)) is \(type.rawValue)")
      } else if transformation.columnType != nil {
        reject(column.recipe.origin, "'\(key)': \"\(transformation.name)\" can only come first")
      }
    }
    if columns[index].transformations.isEmpty, !type.isNumeric {
      reject(
        column.recipe.origin,
        "'\(key)' must make numbers of the column \(quoted(column.name)), which is \(type.rawValue)")
    }
  }

  /// Columns of interactions and polynomials: features, each one number a row.
  private mutating func checkProducts() {
    var asked = recipe.interactions.map { (key: "interactions", columns: $0.columns, origin: $0.origin) }
    if let polynomial = recipe.polynomial {
      asked.append(("polynomial.columns", polynomial.columns, polynomial.origin))
      if Set(polynomial.columns).count < polynomial.columns.count {
        reject(polynomial.origin, "'polynomial.columns' has a column twice")
      }
    }
    for (key, names, origin) in asked {
      for name in names {
        guard let index = scope.index(of: name) else {
          reject(origin, "'\(key)': \(scope.unknown(name))")
          continue
        }
        let column = columns[index]
        let isWide = column.transformations.contains { transformation in
          switch transformation {
          case .oneHot, .hashed, .dateParts, .polynomial: true
          case .log, .clip, .clipQuantiles, .standardize, .minMax, .robust, .ordinal: false
          }
        }
        if !column.isFeature || isWide {
          reject(origin, "'\(key)': the column \(quoted(name)) is not one feature")
        }
      }
    }
    guard problems.isEmpty else { return }
    func places(_ names: [String]) -> [Int] { names.compactMap { scope.index(of: $0) } }
    products = recipe.interactions.map { Product(columns: places($0.columns)) }
    guard let polynomial = recipe.polynomial else { return }
    if let all = Product.all(
      of: places(polynomial.columns), degree: polynomial.degree, withPowers: !polynomial.interactionOnly)
    {
      products += all
    } else {
      reject(polynomial.origin, "'polynomial' makes more than \(Product.most) features")
    }
  }
}
