import JSON
import Testing

@testable import Preparation

/// What is fitted is the same to the last bit however the rows are cut into blocks, and what it is written as reads as the same.
@Suite struct MergeTests {
  private static let schema = Schema([
    ColumnSchema(name: "a", type: .real), ColumnSchema(name: "b", type: .real),
    ColumnSchema(name: "kind", type: .category, dictionary: ["k0", "k1", "k2", "k3"]),
    ColumnSchema(name: "name", type: .text), ColumnSchema(name: "at", type: .dateTime),
    ColumnSchema(name: "y", type: .real),
  ])

  private static let recipe = """
    { target_transform: 'log', defaults: { unseen: 'ignore' }, filter: 'b > -900', derive: { ratio: 'a / b' },
      columns: {
        a: { missing: 'mean', indicator: true, transform: [{ kind: 'clip', quantiles: [0.01, 0.99] }, 'standardize'] },
        b: { transform: ['robust', { kind: 'polynomial', degree: 2 }, 'min_max'] },
        kind: { missing: 'most_frequent' }, ratio: { missing: 'median', transform: 'standardize' },
        name: { missing: 'most_frequent', transform: [{ kind: 'hashed', buckets: 3 }, 'standardize'] },
        at: { transform: { kind: 'date_parts', parts: ['hour', 'weekday'] } },
      },
      interactions: [['a', 'ratio']] }
    """

  /// Rows whose sums depend on the order in which they are rounded.
  private static func table(rows: Int) -> ColumnBlock {
    var state: UInt64 = 7
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) * 0x1p-53
    }
    var (a, b, at, y): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    var kinds: [Int32] = []
    var names: [String?] = []
    for _ in 0..<rows {
      a.append(next() < 0.1 ? .nan : (next() - 0.5) * 1e3 + 1e6)
      b.append((next() - 0.5) * 2_000)
      kinds.append(next() < 0.05 ? -1 : Int32(next() * 4))
      names.append(next() < 0.05 ? nil : "n\(Int(next() * 9))")
      at.append((next() * 1e9).rounded())
      y.append(next() + 0.1)
    }
    return ColumnBlock(
      rows: rows,
      columns: [.numbers(a), .numbers(b), .codes(kinds), .texts(names), .numbers(at), .numbers(y)])
  }

  private static func cut(_ block: ColumnBlock, into pieces: Int) -> [ColumnBlock] {
    (0..<pieces).map { piece in
      block.selecting(Array(piece * block.rows / pieces..<(piece + 1) * block.rows / pieces))
    }
  }

  @Test func anyCutFitsTheSameBits() throws {
    let pipeline = try Pipeline(
      try Recipe(parsing: Array(Self.recipe.utf8), source: "prepare.json"), schema: Self.schema, target: "y")
    let table = Self.table(rows: 2_000)
    let training = (0..<2_000).map { $0 % 5 != 0 }
    let whole = try PipelineTests.fit(pipeline, [table], training: training)
    var tally = CleaningTally(pipeline)
    let expected = try whole.features(of: pipeline.clean(table, tally: &tally))
    #expect(expected.rows.count > 1_500 && expected.features.allSatisfy(\.isFinite))
    for pieces in [2, 3, 4, 17, 2_000] {
      let blocks = Self.cut(table, into: pieces)
      let fitted = try PipelineTests.fit(pipeline, blocks, training: training)
      #expect(fitted.json == whole.json)
      var features: [Float] = []
      var targets: [Float] = []
      for block in blocks {
        let rows = try fitted.features(of: pipeline.clean(block, tally: &tally))
        features += rows.features
        targets += rows.targets
      }
      #expect(features.map(\.bitPattern) == expected.features.map(\.bitPattern))
      #expect(targets == expected.targets)
    }
  }

  // MARK: JSON

  private static func fitted() throws -> FittedPipeline {
    let pipeline = try Pipeline(
      try Recipe(parsing: Array(recipe.utf8), source: "prepare.json"), schema: schema, target: "y")
    return try PipelineTests.fit(pipeline, [table(rows: 200)])
  }

  @Test(arguments: [TargetEncoding.value, .none, .classes(["0", "1"])])
  func whatIsWrittenReadsAsTheSame(target: TargetEncoding) throws {
    // Classes have no logarithm.
    let transform: JSONValue = target == .value ? "log" : "none"
    let recipe = try Recipe(
      parsing: Array(Self.recipe.utf8), source: "prepare.json", overrides: [("target_transform", transform)])
    let pipeline = try Pipeline(recipe, schema: Self.schema, target: target == .none ? nil : "y")
    let fitted = try PipelineTests.fit(pipeline, [Self.table(rows: 200)], target: target)
    for pretty in [false, true] {
      let text = fitted.json.serialized(pretty: pretty)
      let again = try FittedPipeline(JSONNode(parsing: Array(text.utf8)))
      #expect(again.json == fitted.json && again.columns == fitted.columns && again.target == fitted.target)
      #expect(again.featureNames == fitted.featureNames)
    }
  }

  /// Every value of it replaced by something else, or left out, is read or refused; nothing traps.
  @Test func damagedPreparationsAreRefused() throws {
    let json = try Self.fitted().json
    var refused = 0
    var tried = 0
    let others: [JSONValue] = [
      .null, .integer(-1), .number(0), .string("x"), .array([JSONNode]()), .object([JSONMember]()),
    ]
    for other in others {
      for index in 0..<400 {
        var left = index
        guard let damaged = Self.replacing(&left, in: json, with: other) else { break }
        tried += 1
        let again = try? FittedPipeline(JSONNode(damaged))
        if again == nil { refused += 1 }
        if let again {
          var tally = CleaningTally(again.pipeline)
          let block = Self.table(rows: 5)
          let fits = zip(block.columns, again.pipeline.schema.columns).allSatisfy { column, schema in
            switch column {
            case .numbers: schema.type.isNumeric
            case .codes: schema.dictionary?.count == 4
            case .texts: schema.type == .text
            }
          }
          if fits, again.pipeline.schema.columns.count == 6 {
            _ = try? again.features(of: again.pipeline.clean(block, tally: &tally))
          }
        }
      }
    }
    #expect(tried > 600 && refused > tried / 2)
  }

  /// The value with its `left`-th part replaced, counted through all parts; nil if there are not as many.
  private static func replacing(_ left: inout Int, in value: JSONValue, with other: JSONValue) -> JSONValue? {
    if left == 0 { return other }
    left -= 1
    switch value {
    case .array(var elements):
      for index in elements.indices {
        if let changed = replacing(&left, in: elements[index].value, with: other) {
          elements[index] = JSONNode(changed)
          return .array(elements)
        }
      }
    case .object(var members):
      for index in members.indices {
        if let changed = replacing(&left, in: members[index].value.value, with: other) {
          members[index].value = JSONNode(changed)
          return .object(members)
        }
      }
    default: break
    }
    return nil
  }
}
