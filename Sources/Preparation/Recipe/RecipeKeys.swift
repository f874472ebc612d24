internal import JSON
public import Settings

extension Recipe {
  private static let anyNumber = SettingKind.optionalNumber(least: -.infinity, exclusive: false, most: .infinity)
  private static let fallBack = SettingKind.optionalChoice(["error", "missing"])
  private static let columnMissing = SettingKind.optionalChoice(
    ["error", "drop", "mean", "median", "most_frequent", "constant"])
  private static let chain = SettingKind.other("a transformation or a list of them")

  /// Every key of a recipe, in the order of the README. `NAME` is the name of a column.
  public static let keys: [SettingKey] = [
    SettingKey("target", .optionalText, .null, "column to predict; `--target` says it too"),
    SettingKey("task", .choice(TargetTask.allCases.map(\.rawValue)), "auto", "what the target is; see `--task`"),
    SettingKey(
      "target_transform", .choice(TargetTransform.allCases.map(\.rawValue)), "none",
      "what a regression learns in place of the target: its natural logarithm, or that of 1 + the target"),
    SettingKey(
      "missing_values", .texts, [], "texts that mean no value, beside the empty one, NA, N/A, NaN and null"),
    SettingKey("filter", .other("an expression or a list of them"), [], "conditions; a row stays if all are true"),
    SettingKey(
      "duplicates", .choice(["keep", "drop"]), "keep", "whether rows that equal an earlier one in all columns stay"),
    SettingKey(
      "sample.rows", .optionalInteger(1...Int.max), .null,
      "take so many of the rows that stay, drawn at random, all where there are fewer; `--sample` says it too"),
    SettingKey(
      "sample.fraction", .optionalNumber(least: 0, exclusive: true, most: 1), .null, "take so large a part of them"),
    SettingKey(
      "sample.by", .optionalText, .null, "column whose values are the strata that the sample is drawn from one by one"),
    SettingKey(
      "sample.allocation", .choice(SampleSettings.Allocation.allCases.map(\.rawValue)), "proportional",
      "what a stratum gets of the sample: its share of the rows, or as many rows as every other"),
    SettingKey(
      "sample.weight", .optionalText, .null,
      "column of numbers from 0 that chances go by: importance sampling; a row of weight 0 is never taken"),
    SettingKey(
      "sample.seed", .optionalInteger(0...Int.max), .null, "what it is drawn from; that of the split without it"),
    SettingKey("derive.NAME", .text, .null, "expression that makes a column of this name"),
    SettingKey("ignore", .texts, [], "columns that are no features; expressions may use them"),

    SettingKey(
      "defaults.missing", .choice(["error", "drop", "mean", "median", "most_frequent"]), "error",
      "what to do with missing values of columns that say nothing; categories take the most frequent for a mean or median"
    ),
    SettingKey("defaults.malformed", .choice(["error", "missing"]), "error", "what a text among numbers or dates is"),
    SettingKey(
      "defaults.unseen", .choice(["error", "missing", "ignore"]), "error",
      "what a category is that the training rows lack"),
    SettingKey("defaults.numbers", chain, [], "transformations of numeric columns that say nothing"),
    SettingKey("defaults.categories", chain, "one_hot", "transformations of categories that say nothing"),

    SettingKey(
      "columns.NAME.type", .optionalChoice(ColumnType.allCases.map(\.rawValue)), .null,
      "type; found out from all rows otherwise"),
    SettingKey(
      "columns.NAME.missing", columnMissing, .null,
      "missing values: stop, drop the row, or fill with the mean, exact median or most frequent value of the training rows or a constant"
    ),
    SettingKey("columns.NAME.fill", .other("a number or a text"), .null, "the constant to fill with"),
    SettingKey(
      "columns.NAME.indicator", .boolean, false, "a feature `NAME_missing` that is 1 where the value was missing"),
    SettingKey("columns.NAME.minimum", anyNumber, .null, "smallest value that is in range"),
    SettingKey("columns.NAME.maximum", anyNumber, .null, "largest value that is in range"),
    SettingKey("columns.NAME.out_of_range", .choice(["error", "missing"]), "error", "what a value out of range is"),
    SettingKey("columns.NAME.malformed", fallBack, .null, "what a text among numbers or dates is"),
    SettingKey(
      "columns.NAME.unseen", .optionalChoice(["error", "missing", "ignore"]), .null,
      "what a category is that the training rows lack: an error, missing, or none of the categories (zeros; -1 as ordinal)"
    ),
    SettingKey(
      "columns.NAME.lags", .integers(1...100_000), [], "rows back: `[1, 24]` derives `NAME_lag1` and `NAME_lag24`"),
    SettingKey("columns.NAME.transform", chain, .null, "transformations, one after the other"),

    SettingKey(
      "interactions", .other("a list of lists of columns"), [],
      "products of columns as transformed: `[[\"a\", \"b\"]]` adds `a*b`"),
    SettingKey("polynomial.columns", .texts, [], "columns whose powers and products are added, as transformed"),
    SettingKey("polynomial.degree", .integer(2...10), 2, "highest degree"),
    SettingKey("polynomial.interaction_only", .boolean, false, "products of different columns alone, no powers"),

    SettingKey("split.validation", .optionalNumber(least: 0, exclusive: false, most: 1), .null, "as `--validation`"),
    SettingKey("split.test", .optionalNumber(least: 0, exclusive: false, most: 1), .null, "as `--test`"),
    SettingKey("split.seed", .optionalInteger(0...Int.max), .null, "as `--seed`"),
    SettingKey("split.group", .optionalText, .null, "column whose equal values stay in one split"),
    SettingKey(
      "split.time", .optionalText, .null, "column by which the rows are in time: training is first, test last"),
    SettingKey(
      "split.in_order", .boolean, false, "the rows are in time as they stand: training is first, test last"),
  ]

  /// The keys as the Markdown table of the README.
  public static var reference: String { SettingKey.reference(of: keys) }
}
