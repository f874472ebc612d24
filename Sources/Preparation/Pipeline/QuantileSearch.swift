internal import Data

/// Finds exact quantiles of numbers that need not fit into memory, in a few passes over them.
///
/// Each pass keeps the numbers of an interval, if they are few, and counts them by parts of it; the next pass looks at the
/// parts in which the wanted ranks lie. Six passes at most, one for up to `mostKept` numbers. All that is kept are counts
/// and sets, so that any order and grouping of the numbers finds the same.
struct QuantileSearch: Equatable, Sendable {
  /// Numbers that are kept for each interval.
  static let mostKept = 1 << 16
  private static let bitsPerPass = 12

  /// Numbers whose keys begin alike, and which of the ranks fall among them.
  private struct Interval: Equatable, Sendable {
    /// The lowest key.
    var lower: UInt64
    /// The keys are `lower` and the next 2^bits - 1 ones.
    var bits: Int
    /// Numbers below the interval.
    var below: Int
    /// Nil where there were too many; then they are counted.
    var kept: [UInt64]? = []
    /// Numbers by the first `bitsPerPass` bits that tell them apart; empty while they are kept.
    var counts: [Int] = []

    var total: Int { kept?.count ?? counts.reduce(0, +) }

    @inline(__always)
    mutating func add(_ key: UInt64) {
      if let count = kept?.count {
        kept?.append(key)
        if count == QuantileSearch.mostKept { countKept() }
      } else {
        counts[part(key)] += 1
      }
    }

    /// Goes over from keeping to counting.
    mutating func countKept() {
      guard let keys = kept else { return }
      counts = [Int](repeating: 0, count: 1 << min(bits, QuantileSearch.bitsPerPass))
      for key in keys { counts[part(key)] += 1 }
      kept = nil
    }

    mutating func merge(_ other: Interval) {
      if let mine = kept, let others = other.kept, mine.count + others.count <= QuantileSearch.mostKept {
        kept = mine + others
        return
      }
      var other = other
      countKept()
      other.countKept()
      for index in counts.indices { counts[index] += other.counts[index] }
    }

    func part(_ key: UInt64) -> Int {
      let offset = key - lower
      return Int(offset >> UInt64(max(bits - QuantileSearch.bitsPerPass, 0)))
    }

    func contains(_ key: UInt64) -> Bool {
      key >= lower && (bits == 64 || key - lower < 1 << UInt64(bits))
    }
  }

  /// Each from 0 to 1.
  private let quantiles: [Double]
  /// How many numbers there are; known after the first pass.
  private(set) var count = 0
  private var intervals = [Interval(lower: 0, bits: 64, below: 0)]
  /// The numbers of the ranks that have been found.
  private var found: [Int: Double] = [:]
  private var isFirstPass = true

  init(_ quantiles: [Double]) { self.quantiles = quantiles }

  /// Whether the quantiles are known.
  var isFinished: Bool { intervals.isEmpty }

  /// A search at the same place that has seen nothing in this pass yet.
  var emptied: QuantileSearch {
    var copy = self
    if isFirstPass { copy.count = 0 }
    for index in copy.intervals.indices {
      copy.intervals[index].kept = []
      copy.intervals[index].counts = []
    }
    return copy
  }

  /// Adds a finite number to this pass.
  mutating func add(_ value: Double) {
    let key = Self.key(value)
    if isFirstPass { count += 1 }
    for index in intervals.indices where intervals[index].contains(key) { intervals[index].add(key) }
  }

  /// Adds what another search saw in the same pass.
  mutating func merge(_ other: QuantileSearch) {
    if isFirstPass { count += other.count }
    for index in intervals.indices { intervals[index].merge(other.intervals[index]) }
  }

  /// Ends a pass whose numbers have all been added.
  mutating func finishPass() {
    isFirstPass = false
    let wanted = ranks
    let before = intervals
    intervals = []
    for interval in before {
      let own = wanted.filter { $0 >= interval.below && $0 < interval.below + interval.total }
      if let kept = interval.kept?.sorted() {
        for rank in own { found[rank] = Self.number(kept[rank - interval.below]) }
      } else {
        narrow(interval, to: own)
      }
    }
  }

  private mutating func narrow(_ interval: Interval, to ranks: [Int]) {
    let rest = max(interval.bits - Self.bitsPerPass, 0)
    var below = interval.below
    for (part, count) in interval.counts.enumerated() where count > 0 {
      let own = ranks.filter { $0 >= below && $0 < below + count }
      let lower = interval.lower + UInt64(part) << UInt64(rest)
      if rest == 0 {
        for rank in own { found[rank] = Self.number(lower) }
      } else if !own.isEmpty {
        intervals.append(Interval(lower: lower, bits: rest, below: below))
      }
      below += count
    }
  }

  /// The places in the sorted numbers that the quantiles lie at or between.
  private var ranks: [Int] {
    guard count > 0 else { return [] }
    let all = quantiles.flatMap { quantile in
      let place = position(quantile)
      return [Int(place.rounded(.down)), Int(place.rounded(.up))]
    }
    return Set(all).sorted()
  }

  private func position(_ quantile: Double) -> Double { Double(count - 1) * quantile }

  /// The quantiles, in their order: between two numbers in proportion (as numpy and pandas do by default). Empty where there is
  /// no number.
  var values: [Double] {
    precondition(isFinished, "quantiles asked for before they were found")
    guard count > 0 else { return [] }
    return quantiles.map { quantile in
      let place = position(quantile)
      let fraction = place - place.rounded(.down)
      guard let low = found[Int(place.rounded(.down))], let high = found[Int(place.rounded(.up))] else {
        preconditionFailure("rank \(place) of \(count) was not found")
      }
      guard low < high, fraction > 0 else { return low }
      // The median of an even number is the mean of the middle two.
      if fraction == 0.5 { return low / 2 + high / 2 }
      return fraction < 0.5 ? low + (high - low) * fraction : high - (high - low) * (1 - fraction)
    }
  }

  /// A number that orders as the doubles do; both zeros have one.
  private static func key(_ value: Double) -> UInt64 {
    let bits = (value == 0 ? 0 : value).bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  }

  private static func number(_ key: UInt64) -> Double {
    Double(bitPattern: key >> 63 == 1 ? key & ~(1 << 63) : ~key)
  }
}

// From rank to rank: what was seen in this pass.
extension QuantileSearch {
  func write(to writer: inout ByteWriter) {
    writer.write(count)
    for interval in intervals {
      writer.write(optional: interval.kept) { writer, kept in
        writer.write(list: kept) { $0.write(Int(bitPattern: UInt($1))) }
      }
      writer.write(list: interval.counts) { $0.write($1) }
    }
  }

  /// Adds what another rank's search saw in the same pass.
  mutating func merge(from reader: inout ByteReader) throws(DataError) {
    var other = emptied
    other.count = try reader.readInt()
    for index in other.intervals.indices {
      other.intervals[index].kept = try reader.readOptional { (reader) throws(DataError) in
        try reader.readList { (reader) throws(DataError) in UInt64(UInt(bitPattern: try reader.readInt())) }
      }
      other.intervals[index].counts = try reader.readList { (reader) throws(DataError) in try reader.readInt() }
    }
    merge(other)
  }
}
