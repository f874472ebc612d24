internal import Data
internal import Failures
internal import MPI

/// Groups of rows with equal values in some columns: how many rows each has, and its aggregates.
///
/// Sums are exact until they are rounded once, so that it does not matter which rank has seen which rows.
struct GroupTable: Sendable {
  /// What the rows are grouped by and what is wanted of each group, as places in the blocks.
  struct Plan: Sendable {
    var keys: [Int]
    var aggregates: [(function: Aggregate.Function, column: Int)]
    /// About how many bytes of memory the table may take.
    var limit: Int
  }

  private let plan: Plan
  private var keys = ByteTable()
  private var keyBytes = 0
  private var rows: [Int] = []
  /// One an aggregate and group, the aggregates of a group behind each other: values that are not missing, the least or
  /// largest of them, and their sum.
  private var counts: [Int] = []
  private var extremes: [Double] = []
  private var sums: [FixedPoint] = []

  init(_ plan: Plan) { self.plan = plan }

  var groups: Int { rows.count }

  /// About how many bytes the table takes.
  var bytes: Int {
    // A key's end, its slots and the count of rows; a count and an extreme; a sum with its digits.
    keyBytes + groups * (32 + plan.aggregates.count * 16) + sums.count * FixedPoint.bytes
  }

  /// Takes the rows of a block.
  /// - Throws: `PreparationError` if there are more groups than the memory for them holds.
  mutating func observe(_ block: ColumnBlock) throws(PreparationError) {
    var key = GroupKey()
    for row in 0..<block.rows {
      key.removeAll()
      for column in plan.keys { key.append(block.columns[column], row: row) }
      let group = try group(key)
      rows[group] += 1
      for (index, aggregate) in plan.aggregates.enumerated() {
        guard case .numbers(let values) = block.columns[aggregate.column], !values[row].isNaN else { continue }
        add(values[row], to: group, index)
      }
    }
  }

  private mutating func add(_ value: Double, to group: Int, _ index: Int) {
    let place = group * plan.aggregates.count + index
    counts[place] += 1
    extend(place, by: value, plan.aggregates[index].function)
    if plan.aggregates[index].function.needsSum { sums[sum(group, index)].add(value) }
  }

  private mutating func extend(_ place: Int, by value: Double, _ function: Aggregate.Function) {
    extremes[place] = function == .minimum ? min(extremes[place], value) : max(extremes[place], value)
  }

  private static func empty(_ function: Aggregate.Function) -> Double { function == .minimum ? .infinity : -.infinity }

  /// The place of a group's sum.
  private func sum(_ group: Int, _ index: Int) -> Int {
    let width = plan.aggregates.count { $0.function.needsSum }
    return group * width + plan.aggregates[..<index].count { $0.function.needsSum }
  }

  /// The number of the group with this key, a new one if there is none.
  private mutating func group(_ key: GroupKey) throws(PreparationError) -> Int {
    let group = keys.insert(key.bytes.span, 0..<key.bytes.count)
    guard group == groups else { return group }
    keyBytes += key.bytes.count
    rows.append(0)
    for aggregate in plan.aggregates {
      counts.append(0)
      extremes.append(Self.empty(aggregate.function))
      if aggregate.function.needsSum { sums.append(FixedPoint.ofValues) }
    }
    guard bytes <= plan.limit else {
      throw PreparationError(
        .invalid, "there are more than \(groups - 1) groups: more than the memory of one rank is meant to hold",
        hint: "--count-by counts what there are few of; columns with fewer different values make fewer groups")
    }
    return group
  }

  /// One group of the result.
  struct Group: Equatable, Sendable {
    var key: GroupKey
    var rows: Int
    /// One an aggregate; NaN where it is missing.
    var aggregates: [Double]
  }

  /// All groups in the order of their keys.
  var sorted: [Group] {
    (0..<groups).map { group in
      Group(
        key: GroupKey(keys[group]), rows: rows[group],
        aggregates: plan.aggregates.indices.map { aggregate(group, $0) })
    }.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
  }

  private func aggregate(_ group: Int, _ index: Int) -> Double {
    let place = group * plan.aggregates.count + index
    switch plan.aggregates[index].function {
    case .sum: return sums[sum(group, index)].value
    case .mean: return counts[place] > 0 ? sums[sum(group, index)].value / Double(counts[place]) : .nan
    case .minimum, .maximum: return counts[place] > 0 ? extremes[place] : .nan
    }
  }
}

// From rank to rank.
extension GroupTable {
  /// Brings the groups of all ranks together on rank 0; the other ranks' tables are empty afterwards. Collective.
  ///
  /// Each group is summed up by the rank that a hash of its key names, so that the work is spread.
  /// - Throws: a failure that all ranks share, if there are more groups than one rank's memory holds.
  mutating func gather(_ ranks: borrowing some Ranks & ~Copyable) throws {
    let size = ranks.size
    try exchange(ranks) { Int($0 % UInt64(size)) }
    try exchange(ranks) { _ in 0 }
  }

  /// Sends each group to the rank that `owner` gives for the hash of its key.
  private mutating func exchange(_ ranks: borrowing some Ranks & ~Copyable, owner: (UInt64) -> Int) throws {
    var messages = [ByteWriter](repeating: ByteWriter(), count: ranks.size)
    for group in 0..<groups {
      let key = keys[group]
      // The low bits place the key in a table; other bits choose the rank, or its table would have but a few of the places.
      write(group, key, to: &messages[owner(ByteTable.hash(key.span, 0..<key.count) >> 32)])
    }
    self = GroupTable(plan)
    let received = try ranks.allToAll(messages.map(\.bytes))
    messages = []
    var merged = GroupTable(plan)
    try Agreement.everywhere(ranks) {
      for message in received {
        var reader = ByteReader(message)
        while !reader.isAtEnd { try merged.merge(from: &reader) }
      }
    }
    self = merged
  }

  private func write(_ group: Int, _ key: [UInt8], to writer: inout ByteWriter) {
    writer.write(key)
    writer.write(rows[group])
    for (index, aggregate) in plan.aggregates.enumerated() {
      let place = group * plan.aggregates.count + index
      writer.write(counts[place])
      writer.write(extremes[place])
      if aggregate.function.needsSum {
        writer.write(list: sums[sum(group, index)].limbs) { $0.write(Int($1)) }
      }
    }
  }

  private mutating func merge(from reader: inout ByteReader) throws {
    let group = try group(GroupKey(try reader.readBytes()))
    rows[group] += try reader.readInt()
    for (index, aggregate) in plan.aggregates.enumerated() {
      let place = group * plan.aggregates.count + index
      counts[place] += try reader.readInt()
      extend(place, by: try reader.readDouble(), aggregate.function)
      if aggregate.function.needsSum {
        let limbs = try reader.readList { (reader) throws(DataError) in Int64(try reader.readInt()) }
        guard let sum = FixedPoint.ofValues.with(limbs: limbs) else { throw ByteReader.damaged }
        sums[self.sum(group, index)].merge(sum)
      }
    }
  }
}
