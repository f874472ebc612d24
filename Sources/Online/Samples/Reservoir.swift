internal import Kernels

/// A sample of the rows of a stream, of a size that does not grow.
///
/// Each row has a key that is a function of the seed and the row's number alone; those with the lowest keys are kept. So the sample does not depend on the
/// order of the rows nor on who saw which: reservoirs of parts of a stream merge into that of the whole.
public struct Reservoir: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// Every row with the same chance.
    case uniform
    /// The same number of rows from every stratum, a class say, where there are as many; within it every row with the same chance.
    case stratified
    /// Every row with a chance by its weight.
    case weighted
  }

  public struct Row: Equatable, Sendable {
    /// The row's own number in the stream.
    public let number: UInt64
    public let stratum: Int
    public let weight: Double
    public let values: [Float]
    /// The lower, the sooner the row is kept.
    let key: Double

    /// A total order: the key, then the number.
    fileprivate func isBefore(_ other: Row) -> Bool { isBefore(other.key, other.number) }

    fileprivate func isBefore(_ key: Double, _ number: UInt64) -> Bool {
      self.key != key ? self.key < key : self.number < number
    }
  }

  public let kind: Kind
  public let capacity: Int
  public let seed: UInt64
  /// Rows that were offered.
  public internal(set) var seen = 0
  private let keys: SampleKeys
  /// The rows of each stratum, as a heap with the one that goes first on top; only one stratum unless it is stratified.
  private var strata: [Int: [Row]] = [:]
  private var count = 0

  /// - Throws: `OnlineError` for a capacity that makes no sense.
  public init(_ kind: Kind, capacity: Int, seed: UInt64) throws(OnlineError) {
    guard (1...1 << 30).contains(capacity) else { throw OnlineError("a reservoir for \(capacity) rows") }
    self.kind = kind
    self.capacity = capacity
    self.seed = seed
    // "reservoi"
    keys = SampleKeys(seed: seed, purpose: 0x7265_7365_7276_6F69)
  }

  public static func == (a: Reservoir, b: Reservoir) -> Bool {
    a.kind == b.kind && a.capacity == b.capacity && a.seed == b.seed && a.seen == b.seen && a.rows == b.rows
  }

  /// Offers a row; `values` are asked for only where it is kept, for now.
  ///
  /// - Parameters:
  ///   - number: the row's own, no two rows have the same.
  ///   - weight: positive and finite; a row of another weight is not kept.
  public mutating func offer(number: UInt64, stratum: Int = 0, weight: Double = 1, _ values: () -> [Float]) {
    seen += 1
    guard weight > 0, weight.isFinite else { return }
    let weight = kind == .weighted ? weight : 1
    let key = keys.key(number, weight: weight)
    let place = kind == .stratified ? stratum : 0
    if let top = strata[place]?.first, isFull(place), !top.isAfter(key, number) { return }
    insert(Row(number: number, stratum: stratum, weight: weight, values: values(), key: key), place)
  }

  /// Whether a row of this stratum takes the place of another one of it.
  private func isFull(_ place: Int) -> Bool {
    let here = strata[place]?.count ?? 0
    return count >= capacity && here > 0 && strata.allSatisfy { $0.key == place || $0.value.count <= here }
  }

  private mutating func insert(_ row: Row, _ place: Int) {
    strata[place, default: []].push(row)
    count += 1
    if count > capacity { dropOne() }
  }

  /// Drops the row that goes first of the largest stratum; of equally large ones of the last.
  private mutating func dropOne() {
    guard let place = strata.max(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) })?.key else { return }
    strata[place]?.pop()
    if strata[place]?.isEmpty == true { strata[place] = nil }
    count -= 1
  }

  /// Adds the sample of other rows of the stream: what is left is the sample of all.
  /// - Throws: `OnlineError` where it is another kind of sample.
  public mutating func merge(_ other: Reservoir) throws(OnlineError) {
    guard kind == other.kind, capacity == other.capacity, seed == other.seed else {
      throw OnlineError("reservoirs of different kinds, capacities or seeds cannot be merged")
    }
    for row in other.rows { insert(row, kind == .stratified ? row.stratum : 0) }
    seen += other.seen
  }

  /// The rows kept, by their numbers.
  public var rows: [Row] { strata.values.joined().sorted { $0.number < $1.number } }
}

extension Reservoir.Row {
  fileprivate func isAfter(_ key: Double, _ number: UInt64) -> Bool {
    self.key != key ? self.key > key : self.number > number
  }
}

/// A binary heap with the row of the highest key on top.
extension [Reservoir.Row] {
  fileprivate mutating func push(_ row: Reservoir.Row) {
    append(row)
    var child = count - 1
    while child > 0, self[(child - 1) / 2].isBefore(self[child]) {
      swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  fileprivate mutating func pop() {
    swapAt(0, count - 1)
    removeLast()
    var parent = 0
    while true {
      var highest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < count && self[highest].isBefore(self[child]) {
        highest = child
      }
      if highest == parent { return }
      swapAt(parent, highest)
      parent = highest
    }
  }
}
