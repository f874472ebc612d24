internal import Data

/// What all values of a column are, as far as it takes to find its type and to describe it.
///
/// Nothing in it depends on how the rows were cut: counts, exact sums, and the set of different values.
struct ColumnProfile: Sendable {
  /// More different values than this are not counted,
  static let mostDistinct = 100_000
  /// and more than this are never categories, whatever is asked for.
  static let mostImposedCategories = 10_000
  /// Texts of which there are more than this are no categories,
  static let mostCategories = 1_000
  /// nor those with fewer rows than this for each on average.
  static let fewestRowsPerCategory = 2

  private(set) var missing = 0
  private(set) var integers = 0
  private(set) var reals = 0
  private(set) var booleans = 0
  private(set) var dates = 0
  private(set) var texts = 0
  /// Of integers, reals, booleans (0 and 1) and dates (seconds since 1970).
  private(set) var moments = ExactMoments()
  private(set) var dateMoments = ExactMoments()
  /// The different values as they are written, in the order in which they are first met; the first few where there are too
  /// many.
  private var values = ByteTable()
  private(set) var distinctOverflow = false
  private var distinctBytes = 0

  /// How many bytes different values may take.
  private let mostBytes: Int
  /// What a value takes beside its text.
  private static let overhead = 24

  /// - Parameter columns: how many columns share the memory for different values.
  init(columns: Int) {
    mostBytes = max(1 << 12, (1 << 26) / max(1, columns))
  }

  /// Values that are there.
  var count: Int { integers + reals + booleans + dates + texts }

  mutating func observeMissing() { missing += 1 }

  /// Takes note of a value. `range` has no spaces at its ends.
  /// - Returns: whether it was not met before, or may not have been, and is a text.
  mutating func observe(_ bytes: Span<UInt8>, _ range: Range<Int>, _ parser: DecimalParser) -> Bool {
    var isText = false
    if let number = parser.double(bytes, range), number.isFinite {
      if Self.isWhole(bytes, range, thousands: parser.thousands), number.magnitude < 0x1p63 {
        integers += 1
      } else {
        reals += 1
      }
      moments.add(number)
    } else if let boolean = ColumnType.boolean(bytes, range) {
      booleans += 1
      moments.add(boolean)
    } else if let date = DateParser.seconds(bytes, range) {
      dates += 1
      dateMoments.add(date)
    } else {
      texts += 1
      isText = true
    }
    guard !distinctOverflow else { return isText }
    return add(bytes, range) && isText
  }

  /// Adds a value to the different ones; whether it is new.
  private mutating func add(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard !distinctOverflow else { return false }
    let before = values.count
    _ = values.insert(bytes, range)
    guard values.count > before else { return false }
    distinctBytes += range.count + Self.overhead
    if values.count > Self.mostDistinct || distinctBytes > mostBytes { distinctOverflow = true }
    return true
  }

  /// Written without a point and an exponent.
  private static func isWhole(_ bytes: Span<UInt8>, _ range: Range<Int>, thousands: UInt8?) -> Bool {
    for index in range {
      let byte = bytes[index]
      if byte &- 48 >= 10, byte != UInt8(ascii: "-"), byte != UInt8(ascii: "+"), byte != thousands { return false }
    }
    return true
  }

  /// Adds what was found in rows behind these.
  mutating func merge(_ other: ColumnProfile) {
    missing += other.missing
    integers += other.integers
    reals += other.reals
    booleans += other.booleans
    dates += other.dates
    texts += other.texts
    moments.merge(other.moments)
    dateMoments.merge(other.dateMoments)
    for index in 0..<other.values.count {
      let bytes = other.values[index]
      _ = add(bytes.span, 0..<bytes.count)
    }
    distinctOverflow = distinctOverflow || other.distinctOverflow
  }

  /// The type that holds all values.
  var type: ColumnType {
    if texts == 0, booleans == 0, dates == 0 { return integers > 0 && reals == 0 ? .integer : .real }
    if booleans == count { return .boolean }
    if dates == count { return .dateTime }
    let isCategory =
      !distinctOverflow && values.count <= Self.mostCategories && count >= Self.fewestRowsPerCategory * values.count
    return isCategory ? .category : .text
  }

  /// The different values by their bytes; nil if there are too many.
  var dictionary: [String]? {
    distinctOverflow || values.count > Self.mostImposedCategories
      ? nil
      : (0..<values.count).map { values[$0] }.sorted { $0.lexicographicallyPrecedes($1) }
        .map { String(decoding: $0, as: UTF8.self) }
  }

  /// How many different values there are where they are taken for `type`; nil if there are too many.
  func distinct(as type: ColumnType, _ parser: DecimalParser) -> Int? {
    guard !distinctOverflow else { return nil }
    guard type.isNumeric else { return values.count }
    var keys: Set<UInt64> = []
    for index in 0..<values.count {
      let bytes = values[index]
      let span = bytes.span
      let number =
        type == .dateTime
        ? DateParser.seconds(span, 0..<span.count)
        : ColumnType.boolean(span, 0..<span.count) ?? parser.double(span, 0..<span.count)
      if let number { keys.insert(ClassIndex.key(number)) }
    }
    return keys.count
  }

  /// The first different values.
  func examples(_ count: Int) -> [String] {
    (0..<min(count, values.count)).map { String(decoding: values[$0], as: UTF8.self) }
  }

  func write(to writer: inout ByteWriter) {
    for count in [missing, integers, reals, booleans, dates, texts] { writer.write(count) }
    moments.write(to: &writer)
    dateMoments.write(to: &writer)
    writer.write(distinctOverflow)
    // Too many are too many for every rank: a few examples are all that is still wanted.
    let kept = distinctOverflow ? min(values.count, TableProfile.examples) : values.count
    writer.write(list: Array(0..<kept)) { $0.write(values[$1]) }
  }

  init(from reader: inout ByteReader, columns: Int) throws(DataError) {
    self.init(columns: columns)
    missing = try reader.readInt()
    integers = try reader.readInt()
    reals = try reader.readInt()
    booleans = try reader.readInt()
    dates = try reader.readInt()
    texts = try reader.readInt()
    moments = try ExactMoments(from: &reader)
    dateMoments = try ExactMoments(from: &reader)
    let overflow = try reader.readBool()
    for bytes in try reader.readList({ (reader) throws(DataError) in try reader.readBytes() }) {
      _ = add(bytes.span, 0..<bytes.count)
    }
    distinctOverflow = overflow
  }
}
