internal import Kernels

/// Says of each row of a block which split it belongs to, whichever rank asks and in whatever order.
struct RowDealer: Sendable {
  enum Method: Equatable, Sendable {
    /// Drawn, each class by itself.
    case stratified
    /// The rows are in time as they stand.
    case inOrder
    /// Rows with equal values in this column stay together.
    /// - Parameter dictionary: of a column of categories.
    case group(column: Int, dictionary: [String]?)
    /// The rows are in time by this column.
    case time(column: Int)
  }

  let method: Method
  let fractions: SplitFractions
  let seed: Int
  /// Rows of each stratum that stand before each block, and after the last one all of them: [blocks + 1][strata].
  let before: [[Int]]
  /// For a split by time: the keys of the first rows of the validation and of the test split, with how many rows of the same
  /// key belong to the split before.
  var borders: [KeyBorders.Border] = []

  private let strata: Split

  init(_ method: Method, fractions: SplitFractions, seed: Int, before: [[Int]]) {
    self.method = method
    self.fractions = fractions
    self.seed = seed
    self.before = before
    strata = Split(strata: before.last ?? [0], fractions: fractions, seed: seed)
  }

  /// All rows.
  private var rows: Int { before.last?.reduce(0, +) ?? 0 }

  /// The split of each row of a block; nil for those that do not stay.
  /// - Parameters:
  ///   - labels: the stratum of each row that stays, in their order.
  ///   - given: the split that the block is in already.
  ///   - tiesBefore: rows of the blocks before with the key of each border.
  func deal(
    _ clean: CleanBlock, block: Int, labels: [Int], given: SplitName?, tiesBefore: [Int] = []
  ) -> [SplitName?] {
    var splits = [SplitName?](repeating: nil, count: clean.rows)
    let kept = clean.keptRows
    if let given {
      for row in kept { splits[row] = given }
      return splits
    }
    switch method {
    case .stratified:
      var split = strata
      split.skip(before[block])
      for (place, row) in kept.enumerated() { splits[row] = split.next(stratum: labels[place]) ?? .train }
    case .inOrder:
      let ends = self.ends
      let first = before[block].reduce(0, +)
      for (place, row) in kept.enumerated() {
        let number = first + place
        splits[row] = number < ends.train ? .train : number < ends.validation ? .validation : .test
      }
    case .group(let column, let dictionary):
      var values = clean.block.columns[column]
      // By its text: the place of a category depends on what other categories there are.
      if case .codes(let codes) = values, let dictionary {
        values = .texts(codes.map { $0 >= 0 ? dictionary[Int($0)] : nil })
      }
      var key = GroupKey()
      for row in kept {
        key.removeAll()
        key.append(values, row: row)
        splits[row] = group(key)
      }
    case .time(let column):
      var ties = tiesBefore
      for row in kept {
        let key = Self.timeKey(clean.block.columns[column], row)
        splits[row] = .train
        for (index, border) in borders.enumerated() {
          let isBehind = key > border.key || key == border.key && ties[index] >= border.ties
          if isBehind { splits[row] = index == 0 ? .validation : .test }
          if key == border.key { ties[index] += 1 }
        }
      }
    }
    return splits
  }

  /// Where the training rows and those of the validation end, of all rows in their order.
  var ends: (train: Int, validation: Int) {
    let shares = Split.shares(of: rows, fractions: fractions)
    let train = shares[.train, default: 0]
    return (train, train + shares[.validation, default: 0])
  }

  /// A group goes where a number that is drawn for it falls.
  private func group(_ key: GroupKey) -> SplitName {
    let hash = ByteTable.hash(key.bytes.span, 0..<key.bytes.count)
    let uniform =
      Double(RandomStream(seed: UInt64(bitPattern: Int64(seed)), stream: Self.label, hash).word(at: 0)) * 0x1p-32
    if uniform < fractions.test { return .test }
    return uniform < fractions.test + fractions.validation ? .validation : .train
  }

  /// Tells the streams of groups from all others of the same seed: "group".
  private static let label: UInt64 = 0x67_726f_7570

  /// The order of a row in time, as a number that is compared; rows without a time come last.
  static func timeKey(_ column: Column, _ row: Int) -> UInt64 {
    switch column {
    case .numbers(let values): timeKey(values[row].isNaN ? nil : values[row])
    case .codes(let codes): codes[row] < 0 ? .max : UInt64(codes[row])
    case .texts: preconditionFailure("a split by the time of a text")
    }
  }
  static func timeKey(_ time: Double?) -> UInt64 { time.map { GroupKey.ordered($0) } ?? .max }

  /// The times of the borders, where the rows are in time by a column of numbers or dates; nil at a border behind which only
  /// rows without a time are.
  func times(_ schema: Schema) -> [Double?]? {
    guard case .time(let column) = method, schema.columns[column].type.isNumeric else { return nil }
    return borders.map { $0.key == .max ? nil : GroupKey.number($0.key) }
  }
}
