package import Data
import JSON

/// Which rows a kept sample holds: `sample.json` beside them.
///
/// Rows are numbered through all trainings of a model, each beginning behind the last, so that a sample of old and new rows together is
/// the one that a single pass over all of them would have kept.
package struct SampleRecord: Equatable, Sendable {
  static let name = "sample.json"
  package static let mostBytes = 1 << 30

  /// What the sample was drawn from with the rows' numbers.
  package let seed: UInt64
  /// Above the numbers of all rows so far: later ones are numbered from there on. The rows of all trainings, where none was a stream.
  let seen: Int
  /// The number of each row of the sample, ascending.
  package let numbers: [Int]

  package init(seed: UInt64, seen: Int, numbers: [Int]) {
    self.seed = seed
    self.seen = seen
    self.numbers = numbers
  }

  /// The record as JSON.
  package var bytes: [UInt8] {
    let json = JSONValue.object([
      ("seed", .integer(Int(seed))), ("seen", .integer(seen)), ("numbers", .array(numbers.map { .integer($0) })),
    ])
    return Array(json.serialized(pretty: false).utf8)
  }

  /// - Throws: `DataError` (65) where the text is no such record.
  package init(parsing bytes: [UInt8], path: String) throws(DataError) {
    let invalid = DataError(.invalid, "'\(path)' cannot be understood: it is no record of a sample")
    guard let root = try? JSONNode(parsing: bytes, dialect: .json, valueLimit: 1 << 25),
      let seed = root["seed"]?.asInt, seed >= 0, let seen = root["seen"]?.asInt, let nodes = root["numbers"]?.asArray
    else { throw invalid }
    let numbers = nodes.compactMap(\.asInt)
    guard numbers.count == nodes.count, numbers.allSatisfy({ $0 >= 0 && $0 < seen }),
      zip(numbers, numbers.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw invalid }
    self.init(seed: UInt64(seed), seen: seen, numbers: numbers)
  }
}
