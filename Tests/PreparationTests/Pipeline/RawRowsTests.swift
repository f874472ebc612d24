import Data
import JSON
import Kernels
import Testing

@testable import Preparation

/// Raw text to the rows of a model.
@Suite struct RawRowsTests {
  private static let schema = Schema([
    ColumnSchema(name: "x", type: .real), ColumnSchema(name: "open", type: .boolean),
    ColumnSchema(name: "kind", type: .category, dictionary: ["a", "b \"c\""]), ColumnSchema(name: "note", type: .text),
    ColumnSchema(name: "at", type: .dateTime), ColumnSchema(name: "y", type: .integer),
  ])

  private static func fitted(_ recipe: String, dialect: CSVDialect = CSVDialect()) throws -> FittedPipeline {
    let pipeline = try Pipeline(
      try Recipe(parsing: Array(recipe.utf8), source: "prepare.json"), schema: schema, target: "y")
    let block = ColumnBlock(
      rows: 2,
      columns: [
        .numbers([1, 3]), .numbers([0, 1]), .codes([0, 1]), .texts(["p", "q"]), .numbers([0, 0]), .numbers([0, 1]),
      ])
    var fitter = PipelineFitter(pipeline)
    var tally = CleaningTally(pipeline)
    while !fitter.isFinished {
      var pass = fitter.makePass()
      // Lags would leave all of two rows out.
      var clean = try pipeline.clean(block, tally: &tally)
      clean.kept = [true, true]
      try pass.observe(clean, training: [true, true])
      try fitter.finish(pass)
    }
    return try fitter.fitted(target: .value, dialect: dialect)
  }

  /// All rows of a text, in portions of `count`.
  private static func read(
    _ text: String, _ fitted: FittedPipeline, _ purpose: CleanBlock.Purpose = .prediction, count: Int = 3,
    blockBytes: Int = 1 << 20
  ) throws -> (features: [Float], extras: [Float]) {
    var rows = try RawRows(
      source: .bytes(Array(text.utf8)), path: "new.csv", fitted, for: purpose, blockBytes: blockBytes)
    var features: [Float] = []
    var all: [Float] = []
    var buffer = FloatBuffer(count: count * fitted.featureNames.count)
    while true {
      var extras: [Float] = []
      let read = try rows.next(count, features: &buffer, extras: &extras)
      features += buffer.values(in: 0..<read * fitted.featureNames.count)
      all += extras
      guard read == count else { return (features, all) }
    }
  }

  private static let all = """
    { ignore: ['at'], columns: { x: { missing: 'mean' }, open: { missing: 'drop' }, kind: { unseen: 'ignore', fill: 'a' },
        note: { fill: 'p', transform: { kind: 'hashed', buckets: 2 } } } }
    """

  @Test func valuesOfEveryType() throws {
    let fitted = try Self.fitted(Self.all)
    let text = #"""
      note,kind,"x",open,extra
      p,a, 1.5 ,true,?
      "q","b ""c""",NA,FALSE,?
      ,other,-2e1,True,?
      q,n/a,4,,?

      """#
    let found = try Self.read(text, fitted)
    #expect(fitted.featureNames == ["x", "open", "kind_a", "kind_b \"c\"", "note_hash0", "note_hash1"])
    #expect(found.extras == [1, 1, 1, 0])
    let buckets = ["p", "q", "p"].map { FittedTransformation.bucket(of: $0, buckets: 2) }
    func hashed(_ row: Int) -> [Float] { [buckets[row] == 0 ? 1 : 0, buckets[row] == 1 ? 1 : 0] }
    let expected: [Float] =
      [1.5, 1, 1, 0] + hashed(0) + [2, 0, 0, 1] + hashed(1) + [-20, 1, 0, 0] + hashed(2) + [0, 0, 0, 0, 0, 0]
    #expect(found.features == expected)
  }

  /// Rows to be judged on come with their target; those that the recipe leaves out do not come.
  @Test func rowsToBeJudgedOn() throws {
    let fitted = try Self.fitted(
      "{ ignore: ['at', 'note', 'kind', 'open'], filter: 'y > 1', columns: { x: { missing: 'drop' } } }")
    let found = try Self.read("open,kind,note,at,x,y\n,,,,1,1\n,,,,2,2\n,,,,,3\n,,,,4,4\n", fitted, .learning)
    #expect(found.features == [2, 4] && found.extras == [2, 4])
    let error = #expect(throws: PreparationError.self) { try Self.read("x\n1\n", fitted, .learning) }
    #expect(error?.description == "new.csv:1:1: there is no column 'y'")
    #expect(try Self.read("x\n1\n", fitted).features == [1])
  }

  /// Lags look back over the borders of blocks, and over rows that are left out.
  @Test func lagsOverBlocks() throws {
    let fitted = try Self.fitted(
      "{ ignore: ['at', 'note', 'kind', 'open'], columns: { x: { lags: [1, 3] }, x_lag3: { fill: -1 }, x_lag1: { fill: -1 } } }"
    )
    let text = "x\n" + (1...200).map { "\($0)\n" }.joined()
    var expected: [Float] = []
    for row in 1...200 {
      let before: Float = row > 1 ? Float(row - 1) : -1
      let longBefore: Float = row > 3 ? Float(row - 3) : -1
      expected += [Float(row), before, longBefore]
    }
    for blockBytes in [8, 13, 64, 1 << 20] {
      #expect(try Self.read(text, fitted, blockBytes: blockBytes).features == expected)
    }
  }

  /// How numbers are written is what the training data had; the delimiter is found anew.
  @Test func dialects() throws {
    var dialect = CSVDialect(delimiter: UInt8(ascii: ";"))
    dialect.decimal = UInt8(ascii: ",")
    dialect.thousands = UInt8(ascii: ".")
    dialect.comment = UInt8(ascii: "#")
    let fitted = try Self.fitted("{ ignore: ['at', 'note', 'kind', 'open'] }", dialect: dialect)
    let again = try FittedPipeline(JSONNode(parsing: Array(fitted.json.serialized().utf8)))
    #expect(again.dialect == dialect)
    #expect(try Self.read("#a comment\nx;z\n1.234,5;0\n# another\n2;0\n", again).features == [1234.5, 2])
    #expect(try Self.read("x\tz\n0,25\t0\n", again).features == [0.25])
  }

  /// One that is not found out is kept with the data set.
  @Test func aRareDelimiter() throws {
    let fitted = try Self.fitted(
      "{ ignore: ['at', 'note', 'kind', 'open'] }", dialect: CSVDialect(delimiter: UInt8(ascii: ":")))
    let again = try FittedPipeline(JSONNode(parsing: Array(fitted.json.serialized().utf8)))
    #expect(again.dialect == fitted.dialect)
    #expect(try Self.read("x:z\n1.5:0\n2:0\n", again).features == [1.5, 2])
  }

  @Test(arguments: [
    ("x,open,kind,note\n1,true,a,p\n1,maybe,a,p\n", "new.csv:3:3: column 'open': 'maybe' is neither true nor false"),
    ("x,open,kind,note\n1e999,true,a,p\n", "new.csv:2:1: column 'x': '1e999' is not a number"),
    ("x,open,kind\n1,true,a\n", "new.csv:1:1: there is no column 'note'"),
    ("x,open,kind,note\n1,true,a,p\nz,true,a,p\nz,q,a,p\n", "new.csv:3:1: column 'x': 'z' is not a number"),
  ])
  func malformedFields(text: String, message: String) throws {
    let fitted = try Self.fitted(Self.all)
    let error = #expect(throws: PreparationError.self) { try Self.read(text, fitted) }
    #expect(error?.message == String(message.split(separator: ": ", maxSplits: 1)[1]))
  }

  @Test func malformedFieldsAsMissing() throws {
    let fitted = try Self.fitted(
      "{ ignore: ['note', 'kind', 'open'], missing_values: ['?'], columns: { x: { malformed: 'missing', missing: 'mean' }, at: { malformed: 'missing', fill: '1970-01-02', transform: { kind: 'date_parts', parts: ['day'] } } } }"
    )
    #expect(try Self.read("x,at\nz,1970-01-05\n?,31.12.1970\n", fitted).features == [2, 5, 2, 2])
  }

  @Test func unseenCategories() throws {
    let fitted = try Self.fitted("{ ignore: ['x', 'at', 'note', 'open'] }")
    let error = #expect(throws: PreparationError.self) { try Self.read("kind\na\nnew one\n", fitted) }
    #expect(error?.message == "column 'kind': the category 'new one' does not occur in the training rows")
  }

  /// Bytes that are no UTF-8 are refused where text is wanted.
  @Test(arguments: ["kind", "note"]) func encodings(column: String) throws {
    let fitted = try Self.fitted(Self.all)
    let texts = ["x": "1", "open": "true", "kind": "a", "note": "p"]
    let names = texts.keys.sorted()
    var bytes = Array((names.joined(separator: ",") + "\n").utf8)
    for (index, name) in names.enumerated() {
      bytes +=
        (index > 0 ? [UInt8(ascii: ",")] : []) + (name == column ? [0x61, 0xff] : Array((texts[name] ?? "").utf8))
    }
    let error = #expect(throws: PreparationError.self) {
      var rows = try RawRows(source: .bytes(bytes), path: "new.csv", fitted, for: .prediction)
      var buffer = FloatBuffer(count: 100)
      var extras: [Float] = []
      _ = try rows.next(1, features: &buffer, extras: &extras)
    }
    #expect(error?.message == "column '\(column)' is not UTF-8")
  }
}
