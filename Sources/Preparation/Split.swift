/// The parts that a data set is cut into.
public enum SplitName: String, CaseIterable, Comparable, Sendable {
  case train, validation, test

  public static func < (left: SplitName, right: SplitName) -> Bool { left.place < right.place }

  /// Its number among all splits.
  var place: Int {
    switch self {
    case .train: 0
    case .validation: 1
    case .test: 2
    }
  }

  /// The same, as it is put aside for each row.
  var route: UInt8 { UInt8(truncatingIfNeeded: place) }
}

/// Which part of the rows goes to each split; training gets what the others leave.
public struct SplitFractions: Equatable, Sendable {
  public var validation: Double
  public var test: Double

  public init(validation: Double = 0, test: Double = 0.2) {
    self.validation = validation
    self.test = test
  }

  /// The fraction of one split.
  public subscript(split: SplitName) -> Double {
    switch split {
    case .train: 1 - validation - test
    case .validation: validation
    case .test: test
    }
  }

  /// The splits that get rows: training always, the others if their fraction is not zero.
  var used: [SplitName] { SplitName.allCases.filter { $0 == .train || self[$0] > 0 } }

  func check() throws(PreparationError) {
    for (option, fraction) in [("--validation", validation), ("--test", test)] where !(fraction >= 0 && fraction < 1) {
      throw PreparationError(
        .usage, "\(option) \(fraction): a fraction of the rows is from 0 up to but not including 1")
    }
    if validation + test >= 1 {
      throw PreparationError(
        .usage, "--validation \(validation) and --test \(test) leave nothing to train on: together they must be below 1"
      )
    }
  }
}

/// Says for each row which split it belongs to.
///
/// Rows are counted by stratum: a class, or all rows of a regression. Each stratum is cut exactly, by largest
/// remainder, and which of its rows go where depends on the seed and on their number in the stratum alone. So a reader
/// that knows how many rows of each stratum came before its part of the file can go on from there.
struct Split: Sendable {
  /// One stratum: how many rows each split takes, and the shuffled order they are taken in.
  private struct Stratum {
    var validation: Int
    var test: Int
    var order: Permutation
    var next = 0
    /// The places of the numbers from `next` rounded down to a multiple of eight on.
    var places = SIMD8<UInt64>()
    /// Whether they are known.
    var isReady = false

    /// The splits of the next `count` rows.
    mutating func take(_ count: Int) -> [UInt8]? {
      guard count <= order.count - next else { return nil }
      var routes = [UInt8](repeating: 0, count: count)
      var span = routes.mutableSpan
      let (train, validation, test) = (SplitName.train.route, SplitName.validation.route, SplitName.test.route)
      let (border, end) = (UInt64(self.test), UInt64(self.test + self.validation))
      var row = 0
      while row < count {
        let first = next + row
        let lane = first % 8
        let places = order.places(from: first - lane)
        for index in lane..<min(8, lane + count - row) {
          let place = places[index]
          span[row] = place < border ? test : place < end ? validation : train
          row += 1
        }
      }
      next += count
      isReady = false
      return routes
    }

    mutating func take() -> SplitName? {
      guard next < order.count else { return nil }
      let lane = next % 8
      if lane == 0 || !isReady {
        places = order.places(from: next - lane)
        isReady = true
      }
      next += 1
      // The test rows are the same whatever is put aside for validation.
      let place = Int(truncatingIfNeeded: places[lane])
      if place < test { return .test }
      return place < test + validation ? .validation : .train
    }
  }

  private(set) var rows: [SplitName: Int] = [:]
  private var strata: [Stratum] = []

  /// - Parameters:
  ///   - strata: how many rows each stratum has.
  init(strata: [Int], fractions: SplitFractions, seed: Int) {
    for (index, count) in strata.enumerated() {
      let shares = Self.shares(of: count, fractions: fractions)
      for split in SplitName.allCases { rows[split, default: 0] += shares[split, default: 0] }
      self.strata.append(
        Stratum(
          validation: shares[.validation, default: 0], test: shares[.test, default: 0],
          order: Permutation(count: count, seed: UInt64(bitPattern: Int64(seed)), stratum: index)))
    }
  }

  /// Passes over rows of the strata that belong to other ranks.
  mutating func skip(_ rows: [Int]) {
    for index in strata.indices {
      strata[index].next += rows[index]
      strata[index].isReady = false
    }
  }

  /// The splits of the next rows of a table whose rows are one stratum, by their place in `SplitName.allCases`; nil if more rows come than
  /// were counted.
  mutating func next(_ count: Int) -> [UInt8]? { strata[0].take(count) }

  /// The split of the next row of `stratum`, or nil if more rows come than were counted.
  mutating func next(stratum: Int) -> SplitName? {
    strata[stratum].take()
  }

  /// How many of `count` rows each split gets: the whole part of its share, and the rows left to the largest
  /// remainders, with ties to training, then validation.
  static func shares(of count: Int, fractions: SplitFractions) -> [SplitName: Int] {
    var shares: [SplitName: Int] = [:]
    var remainders: [(split: SplitName, remainder: Double)] = []
    var left = count
    for split in SplitName.allCases {
      // A share within a hair of a whole number is that number: fractions like 0.1 are not exact.
      let share = Double(count) * fractions[split]
      let whole = Int((share + 8 * share.ulp).rounded(.down))
      shares[split] = whole
      remainders.append((split, (max(0, share - Double(whole)) * 1e6).rounded()))
      left -= whole
    }
    remainders.sort { $0.remainder != $1.remainder ? $0.remainder > $1.remainder : $0.split < $1.split }
    for (split, _) in remainders where left > 0 && (fractions[split] > 0) {
      shares[split, default: 0] += 1
      left -= 1
    }
    precondition(left == 0, "\(left) of \(count) rows without a split")
    return shares
  }
}
