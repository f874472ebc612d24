import Data
import JSON

@testable import Preparation

/// A small table with a column of every type and all kinds of values, to try recipes on.
enum RecipeTrial {
  private static let schema = Schema([
    ColumnSchema(name: "a", type: .real), ColumnSchema(name: "b", type: .real), ColumnSchema(name: "n", type: .integer),
    ColumnSchema(name: "f", type: .boolean), ColumnSchema(name: "t", type: .dateTime),
    ColumnSchema(name: "c", type: .category, dictionary: ["u", "v", "é w"]), ColumnSchema(name: "s", type: .text),
    ColumnSchema(name: "y", type: .real),
  ])

  private static let rows = ColumnBlock(
    rows: 6,
    columns: [
      .numbers([0, -0.0, 1.5, .nan, -1e300, .leastNonzeroMagnitude]), .numbers([1, 2, 3, 4, 1e300, .nan]),
      .numbers([0, 1, -1, 9_007_199_254_740_992, .nan, 7]), .numbers([0, 1, .nan, 1, 0, 0]),
      .numbers([0, -62_135_596_800, 1.5e9, .nan, 253_402_300_799, 86_400]),
      .codes([0, 1, 2, Column.missingCode, 1, 1]), .texts(["", "x", nil, "é", "x", "a\0b"]),
      .numbers([1, 2, 3, 4, 5, 6]),
    ])

  /// Does all that a preparation does with a recipe, and reads again what it says of it.
  static func prepare(_ recipe: Recipe) throws {
    let pipeline = try Pipeline(recipe, schema: schema, target: "y")
    var tally = CleaningTally(pipeline)
    let clean = try pipeline.clean(rows, after: rows, tally: &tally)
    var fitter = PipelineFitter(pipeline)
    while !fitter.isFinished {
      var pass = fitter.makePass()
      try pass.observe(clean, training: clean.kept)
      try fitter.finish(pass)
    }
    let fitted = try fitter.fitted(target: .value)
    let features = try fitted.features(of: clean)
    let text = Array(fitted.json.serialized(pretty: true).utf8)
    let again = try FittedPipeline(JSONNode(parsing: text))
    precondition(again.json == fitted.json, "the preparation is not the same when it is read again")
    let same = try again.features(of: clean)
    precondition(
      same.features.map(\.bitPattern) == features.features.map(\.bitPattern), "other features when it is read again")
  }
}
