/// Everything that turns raw rows into what a model sees: a pipeline with what was fitted on the training rows.
///
/// It travels with the data set and the model, so that a raw row is treated the same way at prediction.
public struct FittedPipeline: Sendable {
  public let pipeline: Pipeline
  /// One for each column of the pipeline; nothing in those of columns that are no features.
  let columns: [FittedColumn]
  public let target: TargetEncoding
  /// How the tables that it was fitted on write their text and numbers.
  public let dialect: CSVDialect
  public let featureNames: [String]
  /// For training rows that were chosen by time, the times at which validation and test begin (nil: never); nil for others.
  var timeBorders: [Double?]?
  private let products: [Product]
  private let classes: ClassIndex?

  /// Rows as they go into the shards, or into a model.
  public struct PreparedRows: Sendable {
    /// The numbers of the rows in their block, rising.
    public var rows: [Int]
    /// Shape: rows × features, row-major.
    public var features: [Float]
    /// One for each row: the value, or the index of its class; empty where the target is not looked at.
    public var targets: [Float]
  }

  private static let mostFeatures = 1_000_000

  init(_ pipeline: Pipeline, columns: [FittedColumn], target: TargetEncoding, dialect: CSVDialect)
    throws(PreparationError)
  {
    self.pipeline = pipeline
    self.columns = columns
    self.target = target
    self.dialect = dialect
    if case .classes = target, pipeline.recipe.targetTransform != .none {
      throw PreparationError(
        .invalid,
        "the target \(quoted(pipeline.target ?? "")) is one of classes, which have no \(pipeline.recipe.targetTransform.rawValue)",
        hint: "\"task\": \"regression\" in the recipe predicts the number instead")
    }
    products = pipeline.products
    if case .classes(let names) = target { classes = ClassIndex(names: names) } else { classes = nil }
    var names: [String] = []
    for (column, fitted) in zip(pipeline.columns, columns) where column.isFeature {
      names += fitted.names(column.name)
      if column.recipe.indicator { names.append("\(column.name)_missing") }
      guard names.count <= Self.mostFeatures else { break }
    }
    names += products.map { $0.name(pipeline.columns.map(\.name)) }
    guard names.count <= Self.mostFeatures else {
      throw PreparationError(.invalid, "the recipe makes more than \(Self.mostFeatures) features")
    }
    guard !names.isEmpty else { throw PreparationError(.invalid, "the recipe leaves no feature") }
    var seen: Set<String> = []
    if let twice = names.first(where: { !seen.insert($0).inserted }) {
      throw PreparationError(.invalid, "two features have the name \(quoted(twice))", hint: "rename a derived column")
    }
    featureNames = names
  }

  /// The features, and for rows to learn from the targets, of the rows of a block that stay.
  ///
  /// - Throws: `PreparationError` at a category that is not known where that is an error, and at a number that is too large.
  public func features(of clean: CleanBlock) throws(PreparationError) -> PreparedRows {
    let rows = clean.keptRows
    let width = featureNames.count
    var features = [Float](repeating: 0, count: rows.count * width)
    var next = 0
    /// What products are made of.
    var singles: [Int: [Double]] = [:]
    func put(_ values: [Double], _ index: Int) throws(PreparationError) {
      for (place, value) in values.enumerated() {
        let feature = Float(value)
        guard feature.isFinite else { throw tooLarge(value, clean, rows[place], index, feature: next) }
        features[place * width + next] = feature
      }
      next += 1
    }
    let factors = Set(products.flatMap(\.columns))
    for (index, column) in pipeline.columns.enumerated() where column.isFeature {
      let channels = try column.numbers(clean, index, rows: rows, columns[index])
      for channel in channels { try put(channel, index) }
      if factors.contains(index) { singles[index] = channels[0] }
      if column.recipe.indicator {
        let values = clean.columns[index]
        try put(rows.map { values.isMissing($0) ? 1 : 0 }, index)
      }
    }
    for product in products {
      var values = [Double](repeating: 1, count: rows.count)
      for factor in product.columns {
        guard let numbers = singles[factor] else { preconditionFailure("a product of a column that is no feature") }
        for place in values.indices { values[place] *= numbers[place] }
      }
      try put(values, product.columns[0])
    }
    let targets = clean.purpose == .learning ? try self.targets(of: clean) : []
    return PreparedRows(rows: rows, features: features, targets: targets)
  }

  private func tooLarge(
    _ value: Double, _ clean: CleanBlock, _ row: Int, _ index: Int, feature: Int
  ) -> PreparationError {
    clean.error(
      row: row, column: pipeline.columns[index].textColumn,
      "feature \(quoted(featureNames[feature])) is \(value), too large for a 32-bit number")
  }

  /// The target of each row that stays: its value as the recipe transforms it, or the index of its class.
  ///
  /// - Throws: `PreparationError` at a target that is no number or none of the classes, or that cannot be transformed.
  public func targets(of clean: CleanBlock) throws(PreparationError) -> [Float] {
    guard let index = pipeline.targetColumn, target != .none else { return [] }
    let column = pipeline.columns[index]
    let transform = pipeline.recipe.targetTransform
    var targets: [Float] = []
    for row in clean.keptRows {
      if let classes {
        guard let label = column.label(clean.columns[index], row, classes) else {
          let shown = classes.names.prefix(20).map { quoted($0) }.joined(separator: ", ")
          let more = classes.names.count > 20 ? " and \(classes.names.count - 20) more" : ""
          throw clean.error(
            row: row, column: index, "column \(quoted(column.name)): the value is none of the classes",
            hint: "they are \(shown)\(more)")
        }
        targets.append(Float(label))
        continue
      }
      guard case .numbers(let values) = clean.columns[index] else {
        throw clean.error(row: row, column: index, "column \(quoted(column.name)) is the target and not a number")
      }
      let value = Float(transform.applied(to: values[row]))
      guard value.isFinite else {
        throw clean.error(
          row: row, column: index,
          "column \(quoted(column.name)): \(values[row]) "
            + (transform == .none
              ? "is too large for a 32-bit number"
              : "has no \(transform.rawValue), which the recipe's target_transform needs; targets must be \(transform.domain)")
        )
      }
      targets.append(value)
    }
    return targets
  }
}

extension Pipeline.PlannedColumn {
  /// The class of a row, or nil if its value names none.
  func label(_ column: Column, _ row: Int, _ classes: ClassIndex) -> Int32? {
    switch column {
    case .numbers(let values):
      if let label = classes.index(of: values[row]) { return label }
      return schema.type == .boolean ? classes.index(of: values[row] == 1 ? "true" : "false") : nil
    case .codes(let codes):
      guard codes[row] >= 0, let dictionary = schema.dictionary else { return nil }
      return classes.index(of: dictionary[Int(codes[row])])
    case .texts(let texts): return texts[row].flatMap { classes.index(of: $0) }
    }
  }
}
