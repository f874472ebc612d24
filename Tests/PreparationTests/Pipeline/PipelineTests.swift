import JSON
import Settings
import Testing

@testable import Preparation

/// What pipelines make of rows, against values computed by hand.
@Suite struct PipelineTests {
  /// A small table with everything in it.
  static let schema = Schema([
    ColumnSchema(name: "x", type: .real), ColumnSchema(name: "n", type: .integer),
    ColumnSchema(name: "cut", type: .category, dictionary: ["a", "b", "c"]), ColumnSchema(name: "note", type: .text),
    ColumnSchema(name: "at", type: .dateTime), ColumnSchema(name: "y", type: .real),
  ])
  static let block = ColumnBlock(
    rows: 6,
    columns: [
      .numbers([1, 2, .nan, 4, 8, 16]), .numbers([10, 20, 30, 40, 50, 60]), .codes([0, 1, -1, 1, 2, 0]),
      .texts(["p", "q", nil, "p", "r", "q"]), .numbers([0, 86_400, 172_800, 259_200, 345_600, 432_000]),
      .numbers([1, 2, 3, 4, 5, 6]),
    ])
  /// Leaves `x` alone as a feature.
  private static let onlyX = "ignore: ['n', 'cut', 'note', 'at']"

  static func pipeline(_ text: String, target: String? = "y") throws -> Pipeline {
    try Pipeline(try Recipe(parsing: Array(text.utf8), source: "prepare.json"), schema: schema, target: target)
  }

  /// Fits on the rows of `blocks` that `training` has, by number over all blocks.
  static func fit(
    _ pipeline: Pipeline, _ blocks: [ColumnBlock], training: [Bool]? = nil, target: TargetEncoding = .value
  ) throws -> FittedPipeline {
    var fitter = PipelineFitter(pipeline)
    var tally = CleaningTally(pipeline)
    while !fitter.isFinished {
      var total = fitter.makePass()
      var first = 0
      for block in blocks {
        var pass = fitter.makePass()
        let clean = try pipeline.clean(block, tally: &tally)
        let mask = training.map { Array($0[first..<first + block.rows]) } ?? [Bool](repeating: true, count: block.rows)
        try pass.observe(clean, training: mask)
        try total.merge(encoded: pass.encoded())
        first += block.rows
      }
      try fitter.finish(total)
    }
    return try fitter.fitted(target: target)
  }

  /// The features of the block, by name.
  private static func features(
    _ text: String, training: [Bool]? = nil, target: TargetEncoding = .value
  ) throws -> [String: [Float]] {
    let pipeline = try pipeline(text)
    let fitted = try fit(pipeline, [block], training: training, target: target)
    var tally = CleaningTally(pipeline)
    let rows = try fitted.features(of: try pipeline.clean(block, tally: &tally))
    let width = fitted.featureNames.count
    return Dictionary(
      uniqueKeysWithValues: fitted.featureNames.enumerated().map { index, name in
        (name, rows.rows.indices.map { rows.features[$0 * width + index] })
      })
  }

  // MARK: Missing values

  @Test(
    arguments: [
      // Of 1, 2, 4, 8, 16.
      ("mean", 6.2), ("median", 4), ("most_frequent", 1), ("constant", 3),
    ] as [(String, Float)])
  func fills(missing: String, expected: Float) throws {
    let fill = missing == "constant" ? ", fill: 3" : ""
    let found = try Self.features(
      "{ \(Self.onlyX), columns: { x: { missing: '\(missing)'\(fill), indicator: true } } }")
    #expect(found == ["x": [1, 2, expected, 4, 8, 16], "x_missing": [0, 0, 1, 0, 0, 0]])
  }

  /// What fills is found in the training rows alone.
  @Test func fillsAreFittedOnTheTrainingRows() throws {
    let found = try Self.features(
      "{ \(Self.onlyX), columns: { x: { missing: 'mean' } } }", training: [true, true, true, false, false, false])
    #expect(found["x"] == [1, 2, 1.5, 4, 8, 16])
  }

  @Test func dropAndError() throws {
    #expect(try Self.features("{ \(Self.onlyX), columns: { x: { missing: 'drop' } } }")["x"] == [1, 2, 4, 8, 16])
    let error = #expect(throws: PreparationError.self) { try Self.features("{ \(Self.onlyX) }") }
    #expect(error?.kind == .invalid && error?.message == "column 'x' has no value here")
    // A row that another column or a filter leaves out does not matter.
    let found = try Self.features("{ ignore: ['n', 'note', 'at'], columns: { cut: { missing: 'drop' } } }")
    #expect(found["x"] == [1, 2, 4, 8, 16])
    #expect(try Self.features("{ \(Self.onlyX), filter: 'x > 1' }")["x"] == [2, 4, 8, 16])
    #expect(try Self.features("{ \(Self.onlyX), filter: ['n > 30', 'n < 60'] }")["x"] == [4, 8])
  }

  @Test func categoriesAreFilled() throws {
    let ignore = "ignore: ['x', 'n', 'note', 'at']"
    let frequent = try Self.features("{ \(ignore), columns: { cut: { missing: 'most_frequent' } } }")
    #expect(frequent == ["cut_a": [1, 0, 1, 0, 0, 1], "cut_b": [0, 1, 0, 1, 0, 0], "cut_c": [0, 0, 0, 0, 1, 0]])
    let constant = try Self.features("{ \(ignore), columns: { cut: { fill: 'none' } } }")
    #expect(
      constant == [
        "cut_a": [1, 0, 0, 0, 0, 1], "cut_b": [0, 1, 0, 1, 0, 0], "cut_c": [0, 0, 0, 0, 1, 0],
        "cut_none": [0, 0, 1, 0, 0, 0],
      ])
    // A constant that no training row has is a category all the same.
    let unused = try Self.features(
      "{ \(ignore), columns: { cut: { fill: 'z', unseen: 'ignore', indicator: true } } }",
      training: [true, true, false, false, false, false])
    #expect(
      unused["cut_z"] == [0, 0, 1, 0, 0, 0] && unused["cut_c"] == nil && unused["cut_missing"] == [0, 0, 1, 0, 0, 0])
  }

  @Test func defaultsOfTheRecipe() throws {
    let found = try Self.features("{ ignore: ['note', 'at'], defaults: { missing: 'median', categories: 'ordinal' } }")
    #expect(found == ["x": [1, 2, 4, 4, 8, 16], "n": [10, 20, 30, 40, 50, 60], "cut": [0, 1, 0, 1, 2, 0]])
  }

  @Test func nothingToFillWith() throws {
    let error = #expect(throws: PreparationError.self) {
      try Self.features(
        "{ \(Self.onlyX), columns: { x: { missing: 'mean' } } }", training: [false, false, true, false, false, false])
    }
    #expect(error?.message == "column 'x' has no value in any training row to fill with")
  }

  @Test func rangesAndTally() throws {
    let pipeline = try Self.pipeline(
      """
      { ignore: ['note', 'at'], filter: 'n > 10', defaults: { missing: 'median' },
        columns: { x: { minimum: 2, maximum: 8, out_of_range: 'missing' }, cut: { missing: 'drop' } } }
      """)
    var tally = CleaningTally(pipeline)
    let clean = try pipeline.clean(Self.block, tally: &tally)
    #expect(clean.kept == [false, true, false, true, true, true] && clean.target == .numbers([1, 2, 3, 4, 5, 6]))
    #expect(
      pipeline.summary(tally).map { "\($0.count) \($0.what)" } == [
        "1 rows left out by the filter 'n > 10'", "1 rows left out for want of 'cut'",
        "2 values of 'x' out of range and taken for missing", "1 values of 'x' filled with the median",
      ])
    var twice = tally
    twice.merge(tally)
    #expect(twice.rows == 12 && twice.kept == 8 && pipeline.summary(twice).map(\.count) == [2, 2, 4, 2])
    let strict = try Self.pipeline("{ \(Self.onlyX), columns: { x: { maximum: 8, missing: 'drop' } } }")
    let error = #expect(throws: PreparationError.self) { try strict.clean(Self.block, tally: &tally) }
    #expect(error?.message == "column 'x': 16 is above the maximum 8")
  }

  // MARK: Transformations

  private static let filled = "missing: 'constant', fill: 0"

  @Test(
    arguments: [
      ("[]", [1, 2, 0, 4, 8, 16]),
      ("{ kind: 'log', offset: 1 }", [0.6931472, 1.0986123, 0, 1.609438, 2.1972246, 2.8332133]),
      ("'log1p'", [0.6931472, 1.0986123, 0, 1.609438, 2.1972246, 2.8332133]),
      ("{ kind: 'clip', minimum: 1, maximum: 4 }", [1, 2, 1, 4, 4, 4]),
      ("{ kind: 'clip', maximum: 4 }", [1, 2, 0, 4, 4, 4]),
      // Quantiles of 0, 1, 2, 4, 8, 16: 0.2 is 1, 0.8 is 8.
      ("{ kind: 'clip', quantiles: [0.2, 0.8] }", [1, 2, 1, 4, 8, 8]),
      ("'min_max'", [0.0625, 0.125, 0, 0.25, 0.5, 1]),
      ("{ kind: 'min_max', minimum: -1, maximum: 1 }", [-0.875, -0.75, -1, -0.5, 0, 1]),
      // Median 3, quartiles 1.25 and 7.
      ("'robust'", [-0.3478261, -0.17391305, -0.5217391, 0.17391305, 0.8695652, 2.2608695]),
      // Mean 31/6, variance 341/6 - (31/6)² = 1085/36, as numpy has it.
      ("'standardize'", [-0.7589709, -0.5768179, -0.94112396, -0.21251185, 0.5161002, 1.9733244]),
      ("['log1p', { kind: 'min_max' }]", [0.24465054, 0.38776192, 0, 0.568061, 0.77552384, 1]),
      // Clipping to the quantiles of what clipping left.
      ("[{ kind: 'clip', maximum: 8 }, { kind: 'min_max' }]", [0.125, 0.25, 0, 0.5, 1, 1]),
    ] as [(String, [Float])])
  func ofNumbers(transform: String, expected: [Float]) throws {
    let found = try Self.features("{ \(Self.onlyX), columns: { x: { \(Self.filled), transform: \(transform) } } }")
    let values = try #require(found["x"])
    #expect(zip(values, expected).allSatisfy { abs($0 - $1) <= 2e-7 * max(1, abs($1)) }, "\(values)")
  }

  @Test func powers() throws {
    let found = try Self.features(
      "{ \(Self.onlyX), columns: { x: { \(Self.filled), transform: { kind: 'polynomial', degree: 3 } } } }")
    #expect(
      found == ["x": [1, 2, 0, 4, 8, 16], "x^2": [1, 4, 0, 16, 64, 256], "x^3": [1, 8, 0, 64, 512, 4_096]])
  }

  /// What follows several numbers is fitted for each.
  @Test func transformationsAfterSeveralNumbers() throws {
    let found = try Self.features(
      "{ \(Self.onlyX), columns: { x: { \(Self.filled), transform: [{ kind: 'polynomial' }, 'min_max'] } } }")
    #expect(found["x^2"] == [0.00390625, 0.015625, 0, 0.0625, 0.25, 1])
    let dates = try Self.features(
      "{ ignore: ['x', 'n', 'cut', 'note'], columns: { at: { transform: [{ kind: 'date_parts', parts: ['day', 'month'] }, 'standardize'] } } }"
    )
    #expect(dates["at_month"] == [0, 0, 0, 0, 0, 0])
    #expect(abs(try #require(dates["at_day"])[0] + 1.4638501) < 1e-6)
  }

  /// A column that does not vary is divided by nothing.
  @Test(arguments: ["standardize", "robust", "min_max"]) func constantColumns(kind: String) throws {
    let found = try Self.features(
      "{ ignore: ['x', 'n', 'cut', 'note', 'at'], derive: { c: '3' }, columns: { c: { transform: '\(kind)' } } }")
    #expect(found["c"] == [0, 0, 0, 0, 0, 0])
  }

  @Test func logarithmsThatDoNotExist() throws {
    let error = #expect(throws: PreparationError.self) {
      try Self.features("{ \(Self.onlyX), columns: { x: { \(Self.filled), transform: ['log', 'standardize'] } } }")
    }
    #expect(error?.message == "column 'x': there is no logarithm of this value")
  }

  @Test func ofCategories() throws {
    func found(_ column: String, training: [Bool]? = nil) throws -> [String: [Float]] {
      try Self.features(
        "{ ignore: ['x', 'n', 'note', 'at'], columns: { cut: { missing: 'drop', \(column) } } }", training: training)
    }
    #expect(try found("") == ["cut_a": [1, 0, 0, 0, 1], "cut_b": [0, 1, 1, 0, 0], "cut_c": [0, 0, 0, 1, 0]])
    #expect(
      try found("transform: { kind: 'one_hot', drop_first: true }")
        == ["cut_b": [0, 1, 1, 0, 0], "cut_c": [0, 0, 0, 1, 0]])
    #expect(try found("transform: 'ordinal'") == ["cut": [0, 1, 1, 2, 0]])
    #expect(try found("transform: { kind: 'ordinal', order: ['c', 'b', 'a'] }") == ["cut": [2, 1, 1, 0, 2]])
    #expect(try found("transform: ['ordinal', { kind: 'min_max' }]") == ["cut": [0, 0.5, 0.5, 1, 0]])
    // A category that the training rows lack.
    let training = [true, true, true, true, false, true]
    #expect(
      try found("unseen: 'ignore'", training: training) == ["cut_a": [1, 0, 0, 0, 1], "cut_b": [0, 1, 1, 0, 0]])
    #expect(try found("unseen: 'ignore', transform: 'ordinal'", training: training) == ["cut": [0, 1, 1, -1, 0]])
    let error = #expect(throws: PreparationError.self) { try found("", training: training) }
    #expect(error?.message == "column 'cut': the category 'c' does not occur in the training rows")
    let filled = try Self.features(
      "{ ignore: ['x', 'n', 'note', 'at'], columns: { cut: { missing: 'most_frequent', unseen: 'missing' } } }",
      training: [true, false, false, true, false, true])
    #expect(filled == ["cut_a": [1, 0, 1, 0, 1, 1], "cut_b": [0, 1, 0, 1, 0, 0]])
  }

  @Test func hashedTexts() throws {
    let found = try Self.features(
      "{ ignore: ['x', 'n', 'cut', 'at'], columns: { note: { fill: 'none', transform: { kind: 'hashed', buckets: 4 } } } }"
    )
    #expect(found.count == 4)
    // FNV-1a of one byte c is (offset ^ c) * prime; its halves are mixed.
    let buckets = ["p", "q", "none", "p", "r", "q"].map { FittedTransformation.bucket(of: $0, buckets: 4) }
    for (row, bucket) in buckets.enumerated() {
      for other in 0..<4 { #expect(found["note_hash\(other)"]?[row] == (other == bucket ? 1 : 0)) }
    }
    // Fixed for all time: a model of today must meet the same buckets tomorrow.
    #expect(FittedTransformation.bucket(of: "", buckets: 1_000) == 945)
    #expect(FittedTransformation.bucket(of: "Ideal", buckets: 65_536) == 53_123)
  }

  @Test func dates() throws {
    let found = try Self.features(
      """
      { ignore: ['x', 'n', 'cut', 'note'],
        columns: { at: { transform: { kind: 'date_parts', parts: ['year', 'day', 'weekday', 'day_of_year'] } } } }
      """)
    #expect(
      found == [
        "at_year": [1970, 1970, 1970, 1970, 1970, 1970], "at_day": [1, 2, 3, 4, 5, 6],
        "at_weekday": [3, 4, 5, 6, 0, 1], "at_day_of_year": [1, 2, 3, 4, 5, 6],
      ])
  }

  /// Of columns as they come out of their transformations.
  @Test func productsOfColumns() throws {
    let columns = "ignore: ['cut', 'note', 'at'], columns: { x: { fill: 3 }, n: { transform: 'min_max' } }"
    let n: [Float] = [0, 0.2, 0.4, 0.6, 0.8, 1]
    let x: [Float] = [1, 2, 3, 4, 8, 16]
    func product(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { Float(Double($0) * Double($1)) } }
    let products = try Self.features("{ \(columns), interactions: [['x', 'n'], ['x', 'x', 'x']] }")
    #expect(products.keys.sorted() == ["n", "x", "x*n", "x^3"] && products["x*n"] == [0, 0.4, 1.2, 2.4, 6.4, 16])
    #expect(products["x^3"] == [1, 8, 27, 64, 512, 4_096] && products["n"] == n)
    let square = try Self.features("{ \(columns), polynomial: { columns: ['x', 'n'] } }")
    #expect(square.keys.sorted() == ["n", "n^2", "x", "x*n", "x^2"] && square["x^2"] == product(x, x))
    let cube = try Self.pipeline("{ \(columns), polynomial: { columns: ['x', 'n'], degree: 3 } }")
    #expect(
      try Self.fit(cube, [Self.block]).featureNames
        == ["x", "n", "x^2", "x*n", "n^2", "x^3", "x^2*n", "x*n^2", "n^3"])
    let only = try Self.pipeline(
      "{ \(columns), polynomial: { columns: ['x', 'n'], interaction_only: true, degree: 9 } }")
    #expect(try Self.fit(only, [Self.block]).featureNames == ["x", "n", "x*n"])
    let error = #expect(throws: PreparationError.self) {
      try Self.features("{ \(columns), interactions: [['x', 'n']], polynomial: { columns: ['x', 'n'] } }")
    }
    #expect(error?.message == "two features have the name 'x*n'")
    #expect(Product.all(of: Array(0..<1_000), degree: 3, withPowers: true) == nil)
    #expect(Product.all(of: [0], degree: 10, withPowers: false) == [])
  }

  // MARK: Derived columns and lags

  @Test func derivedColumns() throws {
    let found = try Self.features(
      """
      { ignore: ['cut', 'note', 'at', 'n', 'x', 'half'],
        derive: { half: 'x / 2', square: 'half ^ 2', big: 'n > 30', size: "big ? 'big' : 'small'" },
        columns: { square: { missing: 'mean', indicator: true }, size: { transform: 'ordinal' } } }
      """)
    // Of 0.25, 1, 4, 16, 64.
    #expect(
      found == [
        "square": [0.25, 1, 17.05, 4, 16, 64], "square_missing": [0, 0, 1, 0, 0, 0], "big": [0, 0, 0, 1, 1, 1],
        "size": [1, 1, 1, 0, 0, 0],
      ])
  }

  @Test func lagsNeedTheRowsBefore() throws {
    let text = """
      { ignore: ['x', 'cut', 'note', 'at'], derive: { change: 'n - lag(n, 1)', target_before: 'lag(y, 2)' },
        columns: { n: { lags: [1, 2] } } }
      """
    let pipeline = try Self.pipeline(text)
    #expect(pipeline.historyRows == 2)
    let fitted = try Self.fit(pipeline, [Self.block])
    #expect(fitted.featureNames == ["n", "n_lag1", "n_lag2", "change", "target_before"])
    var tally = CleaningTally(pipeline)
    let whole = try fitted.features(of: pipeline.clean(Self.block, tally: &tally))
    #expect(whole.rows == [2, 3, 4, 5] && whole.targets == [3, 4, 5, 6])
    #expect(Array(whole.features.prefix(5)) == [30, 20, 10, 10, 1])
    // Cut anywhere, with the rows before, it is the same.
    for cut in 1..<6 {
      let first = Self.block.selecting(Array(0..<cut))
      let second = Self.block.selecting(Array(cut..<6))
      let history = Self.block.selecting(Array(max(0, cut - 2)..<cut))
      let a = try fitted.features(of: pipeline.clean(first, tally: &tally))
      let b = try fitted.features(of: pipeline.clean(second, after: history, tally: &tally))
      #expect(a.features + b.features == whole.features && a.rows + b.rows.map { $0 + cut } == whole.rows)
    }
  }

  // MARK: Targets

  @Test func targets() throws {
    func targets(_ text: String, _ encoding: TargetEncoding, target: String = "y") throws -> [Float] {
      let pipeline = try Self.pipeline(text, target: target)
      var tally = CleaningTally(pipeline)
      return try Self.fit(pipeline, [Self.block], target: encoding).targets(
        of: pipeline.clean(Self.block, tally: &tally))
    }
    let numbers = "{ ignore: ['cut', 'note', 'at'], columns: { x: { fill: 3 } } }"
    #expect(try targets(numbers, .value) == [1, 2, 3, 4, 5, 6])
    #expect(try targets(numbers, .classes(["1", "2", "3", "4", "5", "6"])) == [0, 1, 2, 3, 4, 5])
    let log = "{ ignore: ['cut', 'note', 'at'], target_transform: 'log', columns: { x: { fill: 3 } } }"
    #expect(try targets(log, .value)[1] == 0.6931472)
    let categories = "{ ignore: ['note', 'at'], columns: { x: { fill: 3 }, cut: { missing: 'drop' } } }"
    #expect(try targets(categories, .classes(["a", "b", "c"]), target: "cut") == [0, 1, 1, 2, 0])
    let error = #expect(throws: PreparationError.self) {
      try targets(categories, .classes(["a", "c"]), target: "cut")
    }
    #expect(error?.message == "column 'cut': the value is none of the classes" && error?.hint == "they are 'a', 'c'")
    let negative = #expect(throws: PreparationError.self) {
      try targets(
        "{ ignore: ['y', 'cut', 'note', 'at'], target_transform: 'log', derive: { z: 'n' }, columns: { n: {}, x: { missing: 'drop' } } }",
        .value, target: "at")
    }
    #expect(
      negative?.message.contains("has no log, which the recipe's target_transform needs; targets must be above 0")
        == true)
    let classes = #expect(throws: PreparationError.self) { try targets(log, .classes(["1", "2"])) }
    #expect(classes?.message == "the target 'y' is one of classes, which have no log")
    #expect(TargetTransform.log.inverted(TargetTransform.log.applied(to: 5)).rounded() == 5)
    #expect(TargetTransform.log1p.inverted(TargetTransform.log1p.applied(to: 1e-20)) == 1e-20)
    #expect(TargetTransform.log.applied(to: 0).isNaN && TargetTransform.log1p.applied(to: -1).isNaN)
  }

  // MARK: Prediction

  /// Rows to predict need neither the target nor to pass a filter.
  @Test func prediction() throws {
    let pipeline = try Self.pipeline("{ \(Self.onlyX), filter: 'y > 3', columns: { x: { missing: 'mean' } } }")
    let fitted = try Self.fit(pipeline, [Self.block])
    #expect(pipeline.neededColumns(withTarget: false) == [0] && pipeline.neededColumns(withTarget: true) == [0, 5])
    var block = Self.block
    block.columns[5] = .numbers([Double](repeating: .nan, count: 6))
    var tally = CleaningTally(pipeline)
    let clean = try pipeline.clean(block, for: .prediction, tally: &tally)
    let rows = try fitted.features(of: clean)
    // The mean of the rows that passed the filter: 4, 8, 16.
    #expect(rows.features == [1, 2, Float(28.0 / 3), 4, 8, 16] && rows.targets.isEmpty)
  }

  @Test func unknownCategoriesAtPrediction() throws {
    let block = ColumnBlock(
      rows: 1,
      columns: [
        .numbers([1]), .numbers([1]), .codes([Column.unknownCode]), .texts([nil]), .numbers([0]), .numbers([.nan]),
      ])
    func predicted(_ column: String) throws -> [Float] {
      let pipeline = try Self.pipeline("{ ignore: ['x', 'n', 'note', 'at'], columns: { cut: { \(column) } } }")
      var tally = CleaningTally(pipeline)
      return try Self.fit(pipeline, [Self.block]).features(
        of: pipeline.clean(block, for: .prediction, tally: &tally)
      ).features
    }
    #expect(try predicted("missing: 'drop', unseen: 'ignore'") == [0, 0, 0])
    #expect(try predicted("missing: 'most_frequent', unseen: 'missing'") == [1, 0, 0])
    let error = #expect(throws: PreparationError.self) { try predicted("missing: 'drop'") }
    #expect(error?.message == "column 'cut': the category does not occur in the training rows")
  }

  @Test func plainPipelines() throws {
    #expect(!(try Self.pipeline("{ ignore: ['note', 'at'] }").isPlain))
    let numbers = Schema([ColumnSchema(name: "x", type: .real), ColumnSchema(name: "y", type: .integer)])
    func isPlain(_ text: String) throws -> Bool {
      try Pipeline(try Recipe(parsing: Array(text.utf8), source: "r"), schema: numbers, target: "y").isPlain
    }
    #expect(
      try isPlain("{}") && isPlain("{ defaults: { missing: 'drop' } }")
        && isPlain("{ columns: { x: { transform: [] } } }"))
    for text in [
      "{ filter: 'x > 0' }", "{ derive: { z: 'x' } }", "{ columns: { x: { transform: 'standardize' } } }",
      "{ columns: { x: { fill: 0 } } }", "{ columns: { x: { minimum: 0 } } }",
      "{ columns: { x: { indicator: true } } }",
      "{ target_transform: 'log' }", "{ columns: { x: { lags: [1] } } }", "{ columns: { y: { maximum: 3 } } }",
      "{ polynomial: { columns: ['x'] } }",
    ] {
      #expect(try !isPlain(text), "\(text)")
    }
  }
}
