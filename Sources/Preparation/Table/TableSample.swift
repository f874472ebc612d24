internal import Data
internal import Kernels
internal import MPI
internal import Text

/// Draws a sample of the rows of a table, exactly as large as was asked for, over all ranks.
///
/// Each row has a key that is drawn for its place in the table; the rows with the lowest keys of their stratum are taken. So the sample is the
/// same on any number of ranks. Takes 20 bytes a row, spread over the ranks, until it is drawn.
struct TableSample {
  private let settings: SampleSettings
  private let keys: SampleKeys
  private let strata: Int?
  private let weights: Int?
  /// Of each row: its key as a number that is compared, and its stratum, in the order of the rows.
  private var rowKeys: [UInt64] = []
  private var rowStrata: [Int32] = []
  /// Block and row, as the key of a row is drawn from them.
  private var places: [UInt64] = []
  /// The strata that this rank has seen, in the order in which they came.
  private var names: [[UInt8]] = []
  private var stratumOfName: [[UInt8]: Int32] = [:]

  /// Samples of the strata need numbers of each on every rank.
  private static let mostStrata = 65_536
  private static let rowBits: UInt64 = 32
  /// "sample"
  private static let purpose: UInt64 = 0x73_616d_706c_65

  /// - Throws: `PreparationError` where the table has no such columns.
  init(_ settings: SampleSettings, _ pipeline: Pipeline, seed: Int) throws(PreparationError) {
    func place(_ name: String?, _ key: String) throws(PreparationError) -> Int? {
      guard let name else { return nil }
      guard let place = pipeline.columns.firstIndex(where: { $0.name == name }) else {
        throw PreparationError(.usage, "'\(key)': there is no column \(quoted(name)) in the table")
      }
      return place
    }
    self.settings = settings
    keys = SampleKeys(
      seed: UInt64(bitPattern: Int64(settings.seed ?? pipeline.recipe.split.seed ?? seed)), purpose: Self.purpose)
    strata = try place(settings.by, "sample.by")
    weights = try place(settings.weight, "sample.weight")
    if let weights, !pipeline.columns[weights].schema.type.isNumeric {
      throw PreparationError(
        .usage, "'sample.weight': column \(quoted(pipeline.columns[weights].name)) holds no numbers")
    }
  }

  /// Rows of this rank that stay without the sample.
  private(set) var rows = 0

  /// Takes note of the rows of a block that stay. Blocks come in their order.
  /// - Throws: `PreparationError` at a weight that is none.
  mutating func observe(_ clean: CleanBlock, block: Int) throws(PreparationError) {
    var name = GroupKey()
    for row in clean.keptRows {
      rows += 1
      var weight = 1.0
      if let weights, case .numbers(let values) = clean.columns[weights] {
        weight = values[row]
        guard weight >= 0, weight.isFinite else {
          throw clean.error(
            row: row, column: weights,
            weight.isNaN
              ? "the weight of the sample has no value here"
              : "the weight of the sample is \(ClassIndex.name(weight)) here",
            hint: "weights are 0 or more; a filter can leave such rows out")
        }
      }
      name.removeAll()
      if let strata { name.append(clean.columns[strata], row: row) }
      let place = UInt64(block) << Self.rowBits | UInt64(row)
      // No row without a weight is taken.
      guard weight > 0 else { continue }
      rowStrata.append(try stratum(name.bytes))
      rowKeys.append(GroupKey.ordered(keys.key(place, weight: weight)))
      places.append(place)
    }
  }

  private mutating func stratum(_ name: [UInt8]) throws(PreparationError) -> Int32 {
    if let known = stratumOfName[name] { return known }
    guard names.count < Self.mostStrata else {
      throw PreparationError(
        .invalid, "'sample.by': column \(quoted(settings.by ?? "")) has more than \(grouped(Self.mostStrata)) values")
    }
    let new = Int32(names.count)
    stratumOfName[name] = new
    names.append(name)
    return new
  }

  /// The rows of each of this rank's blocks that the sample takes. Collective.
  /// - Throws: a failure that all ranks share.
  func drawn(_ ranks: borrowing some Ranks & ~Copyable) throws -> [Int: RowSet] {
    let all = try commonStrata(ranks)
    var own = [[UInt64]](repeating: [], count: all.count)
    let strata = names.map { all[$0] ?? 0 }
    for (key, stratum) in zip(rowKeys, rowStrata) { own[strata[Int(stratum)]].append(key) }
    let quotas = settings.quotas(try ranks.sums(own.map(\.count)))
    let sets = own.map { keys in
      var set = KeyBorders()
      set.observe(keys)
      return set
    }
    let borders = try KeyBorders.borders(of: sets, after: quotas, ranks)
    // Rows of the ranks before with the key of each border.
    var ties = [Int](repeating: 0, count: sets.count)
    for part in try ranks.allGather(sets.indices.map { sets[$0].ties(borders[$0].key)[0] })[..<ranks.rank] {
      for stratum in ties.indices { ties[stratum] += part[stratum] }
    }
    var chosen: [Int: RowSet] = [:]
    for (index, key) in rowKeys.enumerated() {
      let stratum = strata[Int(rowStrata[index])]
      let border = borders[stratum]
      let isBefore = key < border.key || key == border.key && ties[stratum] < border.ties
      if key == border.key { ties[stratum] += 1 }
      guard isBefore else { continue }
      chosen[Int(places[index] >> Self.rowBits), default: RowSet()].insert(
        Int(places[index] & (1 << Self.rowBits - 1)))
    }
    return chosen
  }

  /// The number of each stratum, the same on all ranks.
  private func commonStrata(_ ranks: borrowing some Ranks & ~Copyable) throws -> [[UInt8]: Int] {
    var writer = ByteWriter()
    writer.write(list: names) { $0.write($1) }
    var all: Set<[UInt8]> = []
    for part in try ranks.allGather(writer.bytes) {
      var reader = ByteReader(part)
      all.formUnion(try reader.readList { (reader) throws(DataError) in try reader.readBytes() })
    }
    let sorted = all.sorted { $0.lexicographicallyPrecedes($1) }
    return Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($0.element, $0.offset) })
  }
}
