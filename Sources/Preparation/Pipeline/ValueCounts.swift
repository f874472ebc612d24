internal import Data

/// How often each value of a column occurs.
struct ValueCounts: Equatable, Sendable {
  /// More different values than this are not counted.
  static let most = 1_000_000

  private var numbers: [Double: Int] = [:]
  private var texts: [String: Int] = [:]
  /// There were too many different values.
  private(set) var isOver = false

  mutating func add(_ number: Double) { add(number == 0 ? 0 : number, 1) }
  mutating func add(_ text: String) { add(text, 1) }

  private mutating func add(_ number: Double, _ count: Int) {
    guard !isOver else { return }
    numbers[number, default: 0] += count
    limit()
  }

  mutating func add(_ text: String, _ count: Int) {
    guard !isOver else { return }
    texts[text, default: 0] += count
    limit()
  }

  /// Says so and forgets all where there are too many, so that what is merged is the same in any order.
  private mutating func limit() {
    guard numbers.count + texts.count > Self.most else { return }
    numbers = [:]
    texts = [:]
    isOver = true
  }

  mutating func merge(_ other: ValueCounts) {
    if other.isOver {
      isOver = true
      numbers = [:]
      texts = [:]
    }
    for (number, count) in other.numbers { add(number, count) }
    for (text, count) in other.texts { add(text, count) }
  }

  /// The most frequent number, the least of equally frequent ones; nil where there is none.
  var mostFrequentNumber: Double? {
    numbers.max { $0.value != $1.value ? $0.value < $1.value : $0.key > $1.key }?.key
  }

  /// The most frequent text, the first of equally frequent ones; nil where there is none.
  var mostFrequentText: String? {
    texts.max { a, b in
      a.value != b.value ? a.value < b.value : b.key.utf8.lexicographicallyPrecedes(a.key.utf8)
    }?.key
  }

  /// All texts, in the order of their UTF-8 bytes.
  var sortedTexts: [String] { texts.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}

// From rank to rank.
extension ValueCounts {
  func write(to writer: inout ByteWriter) {
    writer.write(isOver)
    writer.write(list: numbers.sorted { $0.key < $1.key }) {
      $0.write($1.key)
      $0.write($1.value)
    }
    writer.write(list: texts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      $0.write($1.key)
      $0.write($1.value)
    }
  }

  init(from reader: inout ByteReader) throws(DataError) {
    isOver = try reader.readBool()
    for (number, count) in try reader.readList({ (reader) throws(DataError) in
      (try reader.readDouble(), try reader.readInt())
    }) {
      numbers[number] = count
    }
    for (text, count) in try reader.readList({ (reader) throws(DataError) in
      (try reader.readString(), try reader.readInt())
    }) {
      texts[text] = count
    }
  }
}
