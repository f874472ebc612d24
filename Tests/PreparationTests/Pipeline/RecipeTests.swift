import JSON
import Settings
import Testing

@testable import Preparation

/// What a recipe may say, and what is said of one that is wrong.
@Suite struct RecipeTests {
  static func complaints(_ text: String) -> [String] {
    lines { () throws(InvalidSettings) in _ = try Recipe(parsing: Array(text.utf8), source: "prepare.json") }
  }

  /// One line a mistake, without the line that counts them.
  static func lines(_ body: () throws(InvalidSettings) -> Void) -> [String] {
    do {
      try body()
      return []
    } catch {
      let lines = error.message.split(separator: "\n").map { $0.drop { $0 == " " } }
      return (lines.count > 1 ? lines.dropFirst() : lines[...]).map(String.init)
    }
  }

  @Test func everythingThatARecipeMaySay() throws {
    let text = """
      {
        // comments are fine
        target: "price", task: "regression", target_transform: "log",
        missing_values: ["-", "unknown"], filter: "price > 0", duplicates: "drop",
        derive: { volume: "x * y * z" }, ignore: ["id"],
        defaults: { missing: "median", malformed: "missing", unseen: "ignore", numbers: "standardize", categories: "ordinal" },
        columns: {
          carat: { type: "real", missing: "mean", indicator: true, minimum: 0, maximum: 10, out_of_range: "missing",
                   malformed: "error", transform: [{ kind: "log", offset: 1 }, "standardize"] },
          cut: { missing: "constant", fill: "none", unseen: "error", transform: { kind: "ordinal", order: ["Fair", "Good"] } },
          at: { transform: { kind: "date_parts", parts: ["hour", "weekday"] } },
          name: { transform: { kind: "hashed", buckets: 8 } },
          load: { lags: [1, 24], fill: 3, transform: [{ kind: "clip", quantiles: [0.01, 0.99] }, "robust"] },
          depth: { transform: [{ kind: "clip", minimum: 1 }, { kind: "min_max", minimum: -1, maximum: 1 }, { kind: "polynomial", degree: 3 }] },
          color: { transform: { kind: "one_hot", drop_first: true } },
          plain: { transform: [] },
        },
        interactions: [["carat", "depth"]],
        polynomial: { columns: ["carat"], degree: 3, interaction_only: false },
        split: { validation: 0.1, test: 0.2, seed: 7, time: "at" },
      }
      """
    let recipe = try Recipe(parsing: Array(text.utf8), source: "prepare.json")
    #expect(recipe.target == "price" && recipe.task == .regression && recipe.targetTransform == .log)
    #expect(recipe.missingValues == ["-", "unknown"] && recipe.duplicates == .drop)
    #expect(recipe.filters.map(\.expression.text) == ["price > 0"] && recipe.derived.map(\.name) == ["volume"])
    let carat = recipe.column("carat")
    #expect(
      carat.type == .real && carat.missing == .mean && carat.indicator && carat.minimum == 0 && carat.maximum == 10)
    #expect(carat.outOfRange == .missing && carat.transformations == [.log(offset: 1), .standardize])
    #expect(
      recipe.column("cut").missing == .text("none")
        && recipe.column("cut").transformations == [.ordinal(order: ["Fair", "Good"])])
    #expect(recipe.column("at").transformations == [.dateParts([.hour, .weekday])])
    #expect(recipe.column("load").lags == [1, 24] && recipe.column("load").missing == .number(3))
    #expect(recipe.column("load").transformations == [.clipQuantiles(lower: 0.01, upper: 0.99), .robust])
    #expect(
      recipe.column("depth").transformations
        == [.clip(minimum: 1, maximum: nil), .minMax(minimum: -1, maximum: 1), .polynomial(degree: 3)])
    #expect(recipe.column("plain").transformations == [] && recipe.column("other").transformations == nil)
    #expect(
      recipe.type(of: "name") == .text && recipe.type(of: "color") == .category && recipe.type(of: "at") == .dateTime)
    #expect(recipe.type(of: "carat") == .real && recipe.type(of: "depth") == nil)
    #expect(recipe.malformed("carat") == .error && recipe.malformed("depth") == .missing)
    #expect(recipe.split == Recipe.Splits(validation: 0.1, test: 0.2, seed: 7, group: nil, time: "at"))
    // What it is written as reads as the same.
    let again = try Recipe(JSONNode(parsing: Array(recipe.json.serialized().utf8)), source: "again")
    #expect(again.json == recipe.json && again.column("load").transformations == recipe.column("load").transformations)
  }

  @Test func nothingNeedsToBeSaid() throws {
    for text in ["{}", "{ columns: {} }", "{ filter: [], derive: {}, interactions: [] }"] {
      let recipe = try Recipe(parsing: Array(text.utf8), source: "prepare.json")
      #expect(recipe.filters.isEmpty && recipe.column("a").transformations == nil && recipe.target == nil)
    }
  }

  @Test func optionsTakeThePlaceOfTheFile() throws {
    let recipe = try Recipe(
      parsing: Array(#"{ defaults: { missing: "mean" }, target: "a" }"#.utf8), source: "prepare.json",
      overrides: [("target", "b"), ("defaults.missing", "drop"), ("split.test", 0.5)])
    #expect(recipe.target == "b" && recipe.defaultMissing == .drop && recipe.split.test == 0.5)
    #expect(recipe.json["defaults"]?["missing"]?.asString == "drop" && recipe.json["split"]?["test"]?.asDouble == 0.5)
  }

  /// All at once, each with its place.
  @Test func everyMistakeIsToldWithLineAndColumn() {
    let text = """
      {
        taget: "price",
        task: "regresion",
        filter: ["price >", 3],
        derive: { volume: "x *", area: 4 },
        columns: {
          carat: { missing: "average", transform: ["log", "standardise"], minimum: 2, maximum: 1, lags: [0] },
          cut: { transform: { kind: "one_hot", dropfirst: true } },
          color: { missing: "mean", fill: 3 },
          clarity: { missing: "constant" },
          depth: "median",
        },
        defaults: { missing: "constant" },
        polynomial: { degree: 2 },
        interactions: [["a"]],
        split: { time: "at", group: "who" },
      }
      """
    #expect(
      Self.complaints(text) == [
        "prepare.json:2:3: unknown key 'taget'; did you mean 'target'?",
        "prepare.json:3:9: 'task' must be \"auto\" | \"regression\" | \"classification\", not \"regresion\"; did you mean "
          + "\"regression\"?",
        "prepare.json:4:12: 'filter[0]' at character 8: expected a value, not the end of the expression",
        "prepare.json:4:23: 'filter[1]' must be an expression in quotes, not 3",
        "prepare.json:5:21: 'derive.volume' at character 4: expected a value, not the end of the expression",
        "prepare.json:5:34: 'derive.area' must be an expression in quotes, not 4",
        "prepare.json:7:23: 'columns.carat.missing' must be \"error\" | \"drop\" | \"mean\" | \"median\" | \"most_frequent\" | "
          + "\"constant\", not \"average\"",
        "prepare.json:7:53: 'columns.carat.transform[1]' must be \"none\" | \"log\" | \"log1p\" | \"clip\" | \"standardize\" | "
          + "\"min_max\" | \"robust\" | \"one_hot\" | \"ordinal\" | \"hashed\" | \"date_parts\" | \"polynomial\", not "
          + "\"standardise\"; did you mean \"standardize\"?",
        "prepare.json:7:78: 'columns.carat.minimum' is above 'columns.carat.maximum'",
        "prepare.json:7:99: 'columns.carat.lags' must be a list, each an integer from 1 to 100000, not a list",
        "prepare.json:8:42: unknown key 'dropfirst'; did you mean 'drop_first'?",
        "prepare.json:9:37: 'columns.color.fill' is a constant, and 'columns.color.missing' is \"mean\"",
        "prepare.json:10:25: 'columns.clarity.missing' is \"constant\", and 'columns.clarity.fill' does not say which",
        "prepare.json:11:12: 'columns.depth' must be an object { ... }, not \"median\"",
        "prepare.json:13:24: 'defaults.missing' must be \"error\" | \"drop\" | \"mean\" | \"median\" | \"most_frequent\", not "
          + "\"constant\"",
        "prepare.json:14:15: 'polynomial' names no columns",
        "prepare.json:15:18: 'interactions[0]' must be a list of at least two columns",
        "prepare.json:16:18: 'split.group' and 'split.time' contradict each other",
      ])
  }

  @Test(arguments: [
    ("[]", "prepare.json:1:1: a recipe must be an object { ... }, not a list"),
    ("{ target: }", "prepare.json:1:11: expected a value for 'target', not '}'"),
    ("", "prepare.json:1:1: the text is empty, expected a value"),
    ("{ columns: [] }", "prepare.json:1:12: 'columns' must be an object { ... }, not a list"),
    ("{ derive: \"x\" }", "prepare.json:1:11: 'derive' must be an object { ... }, not \"x\""),
    ("{ derive: { '': 'x' } }", "prepare.json:1:17: 'derive' has a column without a name"),
    ("{ missing: 'drop' }", "prepare.json:1:3: unknown key 'missing'; did you mean 'columns.NAME.missing'?"),
    (
      "{ columns: { a: { transform: 3 } } }",
      "prepare.json:1:30: 'columns.a.transform' must be \"none\" | \"log\" | "
        + "\"log1p\" | \"clip\" | \"standardize\" | \"min_max\" | \"robust\" | \"one_hot\" | \"ordinal\" | \"hashed\" | "
        + "\"date_parts\" | \"polynomial\", not 3"
    ),
    ("{ columns: { a: { transform: {} } } }", "prepare.json:1:30: 'columns.a.transform' has no \"kind\""),
    (
      "{ columns: { a: { transform: 'clip' } } }",
      "prepare.json:1:30: 'columns.a.transform' needs a minimum, a larger maximum or both, or quantiles, to clip to"
    ),
    (
      "{ columns: { a: { transform: { kind: 'clip', quantiles: [0.9, 0.1] } } } }",
      "prepare.json:1:57: 'columns.a.transform.quantiles' must be two rising numbers from 0 to 1, without minimum and maximum"
    ),
    (
      "{ columns: { a: { transform: { kind: 'hashed', buckets: 0 } } } }",
      "prepare.json:1:57: 'buckets' must be an integer from 1 to 65536, not 0"
    ),
    (
      "{ columns: { a: { transform: { kind: 'date_parts', parts: ['hour', 'age'] } } } }",
      "prepare.json:1:59: 'columns.a.transform.parts' must be a list of different ones of \"year\" | \"month\" | \"day\" | "
        + "\"hour\" | \"minute\" | \"second\" | \"weekday\" | \"day_of_year\" | \"quarter\""
    ),
    (
      "{ columns: { a: { fill: null, missing: 'constant' } } }",
      "prepare.json:1:40: 'columns.a.missing' is \"constant\", and 'columns.a.fill' does not say which"
    ),
    ("{ columns: { a: { minimum: 1e999 } } }", "prepare.json:1:28: the number is too large for a double"),
    (
      "{ split: { test: 0.6, validation: 0.5 } }",
      "prepare.json:1:10: 'split.validation' and 'split.test' leave nothing to train on: together they must be below 1"
    ),
  ])
  func mistakes(text: String, expected: String) {
    #expect(Self.complaints(text).first == expected)
  }

  /// Nothing in a recipe is more than data: it is read within bounds or refused.
  @Test(arguments: [
    String(repeating: "{ a: ", count: 5_000), "{ filter: [" + String(repeating: "[", count: 5_000),
    "{ columns: { a: { transform: " + String(repeating: "[", count: 60), "{ derive: { __proto__: 'system(1)' } }",
    "{ target: \"\\ud800\" }", "{ filter: '" + String(repeating: "(", count: 9_000) + "' }",
  ])
  func hostile(text: String) {
    #expect(!Self.complaints(text).isEmpty)
  }

  // MARK: With a table

  private static let schema = Schema([
    ColumnSchema(name: "x", type: .real), ColumnSchema(name: "n", type: .integer),
    ColumnSchema(name: "cut", type: .category, dictionary: ["a", "b"]), ColumnSchema(name: "note", type: .text),
    ColumnSchema(name: "at", type: .dateTime), ColumnSchema(name: "y", type: .real),
  ])

  private static func complaints(_ text: String, target: String?) -> [String] {
    lines { () throws(InvalidSettings) in
      _ = try Pipeline(
        try Recipe(parsing: Array(text.utf8), source: "prepare.json"), schema: schema, target: target)
    }
  }

  @Test func everythingThatDoesNotFitTheTable() {
    let text = """
      {
        filter: ["x", "xx > 0"],
        derive: { x: "n + 1", late: "note + 1", leak: "y * 2", fine: "lag(y, 1)" },
        columns: {
          cut: { missing: "mean", minimum: 0, transform: "log" },
          note: { lags: [1] },
          x: { transform: ["standardize", "one_hot"] },
          y: { missing: "mean", transform: "log" },
          fine: { type: "real" },
          typo: {},
        },
        ignore: ["naught"],
        polynomial: { columns: ["cut", "n", "n"] },
        interactions: [["n", "nn"]],
      }
      """
    #expect(
      Self.complaints(text, target: "y") == [
        "prepare.json:2:12: 'filter[0]' is a number, not a condition; compare it, as in x > 0",
        "prepare.json:2:17: 'filter[1]' at character 1: there is no column 'xx'; did you mean 'x'?; a text takes quotes: 'xx'",
        "prepare.json:3:16: there is a column 'x' already; give the derived one another name",
        "prepare.json:3:31: 'derive.late' at character 1: '+' needs numbers, and this is a text",
        "prepare.json:3:49: the derived column 'leak' looks at the target of its own row; 'ignore' it, or use lag()",
        "prepare.json:5:5: 'columns.cut' has a range, and the column is category",
        "prepare.json:5:5: 'columns.cut.missing' is \"mean\", and the column is category",
        "prepare.json:5:5: 'columns.cut.transform': \"log\" needs numbers, and 'cut' is category",
        "prepare.json:6:5: 'columns.note.lags' needs numbers, and the column is text",
        "prepare.json:6:5: the column 'note' is text: 'ignore' it, or let 'columns.note.transform' be \"hashed\" or \"one_hot\"",
        "prepare.json:7:5: 'columns.x.transform': \"one_hot\" can only come first",
        "prepare.json:8:5: 'columns.y.missing' is \"mean\", and the column is the target: it cannot be made up",
        "prepare.json:8:5: 'columns.y.transform' is for features, and the column is the target; see 'target_transform'",
        "prepare.json:9:5: 'columns.fine' is derived: type, malformed, lags and range are for columns of the table",
        "prepare.json:10:5: 'columns.typo': there is no column 'typo'",
        "prepare.json:12:12: 'ignore': there is no column 'naught'",
        "prepare.json:13:15: 'polynomial.columns' has a column twice",
        "prepare.json:14:18: 'interactions': there is no column 'nn'; did you mean 'n'?",
        "prepare.json: the column 'at' holds dates: 'ignore' it, or let 'columns.at.transform' be \"date_parts\"",
      ])
  }

  @Test(arguments: [
    ("{ target: 'yy', ignore: ['note', 'at'] }", "yy", "prepare.json:1:11: there is no target 'yy'; did you mean 'y'?"),
    ("{ ignore: ['x', 'n', 'cut', 'note', 'at'] }", "y", "prepare.json: there is no column left for a feature"),
    (
      "{ ignore: ['note', 'at'], columns: { cut: { unseen: 'missing' } } }", "y",
      "prepare.json:1:38: the column 'cut' takes unseen categories for missing, and has nothing to fill them with: "
        + "'missing' must be \"most_frequent\" or a constant"
    ),
    (
      "{ ignore: ['note', 'at'], interactions: [['x', 'cut']] }", "y",
      "prepare.json:1:42: 'interactions': the column 'cut' is not one feature"
    ),
    (
      "{ ignore: ['note', 'at'], columns: { x: { fill: 'a' } } }", "y",
      "prepare.json:1:38: 'columns.x.fill' is a text, and the column is real"
    ),
    (
      "{ ignore: ['note'], columns: { at: { fill: 'now', transform: 'date_parts' } } }", "y",
      "prepare.json:1:32: 'columns.at.fill' is no date"
    ),
    (
      "{ ignore: ['note', 'at'], split: { time: 'when' } }", "y",
      "prepare.json: 'split.time': there is no column 'when'"
    ),
    (
      "{ ignore: ['note', 'at'], columns: { x: { transform: 'hashed' } } }", "y",
      "prepare.json:1:38: 'columns.x.transform': \"hashed\" needs a column of type text, and 'x' is real"
    ),
  ])
  func mistakesWithATable(text: String, target: String, expected: String) {
    #expect(Self.complaints(text, target: target) == [expected])
  }

  /// The table of the README, with the keys that the reader knows.
  @Test func everyKeyHasALineInTheReference() {
    let lines = Recipe.reference.split(separator: "\n")
    #expect(lines.count == Recipe.keys.count + 2)
    #expect(Set(Recipe.keys.map(\.path)).count == Recipe.keys.count && Recipe.keys.allSatisfy { !$0.summary.isEmpty })
  }
}
