import Kernels
import Synchronization
import Watch

/// Reads rows of a data set into buffers: converted, transformed and checked.
///
/// Used by one thread at a time.
final class RowLoader {
  let dataset: ShardedDataset
  let use: TargetUse
  let transform: FeatureTransform
  let files: ShardFiles
  /// What it reads of a row.
  private let parts: RowParts
  /// Floats that a row takes in the buffers; 0 for a part that is not read.
  let columns: Int
  let targetsPerRow: Int

  let nonFinite: NonFinite
  /// Whether rows that are to be left out have been read.
  private let foundNonFinite = Atomic<Bool>(false)
  var hasFoundNonFinite: Bool { foundNonFinite.load(ordering: .relaxed) }

  /// Rows read so far, those read again counted again.
  private(set) var rowsRead = 0
  /// Time spent in `load`.
  private(set) var timeReading = Duration.zero

  /// Stored one-hot targets on their way to class indices.
  private var oneHot = FloatBuffer(count: 0)
  private static let oneHotBytes = 1 << 18

  /// - Parameter parts: what to read of the rows; the buffers for what is left out are empty.
  /// - Throws: `DataError` if the targets do not suit `use`, or the columns the transform.
  init(
    dataset: ShardedDataset, use: TargetUse, transform: FeatureTransform, parts: RowParts = .all,
    nonFinite: NonFinite = .fail
  ) throws(DataError) {
    self.nonFinite = nonFinite
    try dataset.check(use)
    if dataset.rows > 0 { try transform.check(columns: dataset.columns, of: "the data set") }
    self.dataset = dataset
    self.use = use
    self.transform = transform
    // Nothing is read where there is nothing to be had of the targets.
    let parts = use == .none ? parts.subtracting(.targets) : parts
    self.parts = parts
    files = ShardFiles(dataset: dataset, needs: parts)
    columns = parts.contains(.features) ? dataset.columns : 0
    targetsPerRow = parts.contains(.targets) ? use.floatsPerRow : 0
  }

  /// Reads `rows` of the data set to row `row` of the buffers and what follows. Large ranges are read in large pieces.
  ///
  /// - Throws: `DataError` naming shard and row if a value is not finite or a label is not allowed, or if reading fails.
  func load(
    _ rows: Range<Int>, features: inout FloatBuffer, targets: inout FloatBuffer, at row: Int
  ) throws(DataError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= dataset.rows, "rows \(rows) of \(dataset.rows)")
    let start = ContinuousClock.now
    let phase = Pulse.begin(.reading)
    defer {
      Pulse.end(phase)
      timeReading += start.duration(to: .now)
    }
    guard !rows.isEmpty, !parts.isEmpty else { return }
    var (shard, first) = dataset.place(ofRow: rows.lowerBound)
    var done = 0
    while done < rows.count {
      let count = min(rows.count - done, dataset.shards[shard].rows - first)
      if count > 0 {
        let part = ShardRows(shard: shard, rows: first..<first + count)
        if parts.contains(.features) { try loadFeatures(part, into: &features, at: row + done) }
        if parts.contains(.targets) { try loadTargets(part, into: &targets, at: row + done) }
      }
      done += count
      shard += 1
      first = 0
    }
    rowsRead += rows.count
  }

  /// Rows of one shard, counted in the shard.
  private struct ShardRows {
    let shard: Int
    let rows: Range<Int>
  }

  private func loadFeatures(_ part: ShardRows, into buffer: inout FloatBuffer, at row: Int) throws(DataError) {
    let range = row * columns..<(row + part.rows.count) * columns
    guard let features = try files.shard(part.shard).features else {
      preconditionFailure("shard \(part.shard) was opened without features")
    }
    try features.read(part.rows, into: &buffer, range)
    transform.apply(to: &buffer, offset: range.lowerBound, rows: part.rows.count, columns: columns)
    // After the transform: what is not finite stays so, and what becomes so is found as well.
    if case .replace(let value) = nonFinite {
      transform.replaceNonFinite(in: &buffer, range, columns: columns, with: value)
    }
    guard Elementwise.isFinite(buffer, range) || skips() else {
      let index = (Elementwise.firstNonFinite(buffer, range) ?? range.lowerBound) - range.lowerBound
      throw notFinite(
        features: true, shard: part.shard, row: part.rows.lowerBound + index / columns, column: index % columns,
        value: buffer[range.lowerBound + index])
    }
  }

  private func loadTargets(_ part: ShardRows, into buffer: inout FloatBuffer, at row: Int) throws(DataError) {
    let width = targetsPerRow
    let range = row * width..<(row + part.rows.count) * width
    if case .classIndex(let classes) = use, dataset.targetColumns != 1 {
      return try loadOneHot(part, classes: classes, into: &buffer, at: row)
    }
    try readTargets(part, into: &buffer, range)
    guard Elementwise.isFinite(buffer, range) || skips() else {
      let index = (Elementwise.firstNonFinite(buffer, range) ?? range.lowerBound) - range.lowerBound
      throw notFinite(
        features: false, shard: part.shard, row: part.rows.lowerBound + index / width, column: index % width,
        value: buffer[range.lowerBound + index])
    }
    let limit: Float
    switch use {
    case .classIndex(let classes): limit = Float(classes - 1)
    case .binary: limit = 1
    case .values, .none: return
    }
    if let index = Self.firstOdd(buffer.span, range, limit: limit) {
      throw oddLabel(part.shard, row: part.rows.lowerBound + index / width, column: index % width, limit: Int(limit))
    }
  }

  /// Takes note of rows that are left out when they are handed out; false where they are an error.
  private func skips() -> Bool {
    guard nonFinite == .skipRow else { return false }
    foundNonFinite.store(true, ordering: .relaxed)
    return true
  }

  private func loadOneHot(
    _ part: ShardRows, classes: Int, into buffer: inout FloatBuffer, at row: Int
  ) throws(DataError) {
    let step = max(1, Self.oneHotBytes / 4 / classes)
    if oneHot.count < min(step, part.rows.count) * classes { oneHot = FloatBuffer(count: step * classes) }
    var done = 0
    while done < part.rows.count {
      let count = min(step, part.rows.count - done)
      let first = part.rows.lowerBound + done
      try readTargets(ShardRows(shard: part.shard, rows: first..<first + count), into: &oneHot, 0..<count * classes)
      if let bad = Self.indices(oneHot.span, rows: count, classes: classes, into: &buffer, at: row + done) {
        throw oddOneHot(part.shard, row: first + bad, classes: classes)
      }
      done += count
    }
  }

  private func readTargets(
    _ part: ShardRows, into buffer: inout FloatBuffer, _ range: Range<Int>
  ) throws(DataError) {
    guard let targets = try files.shard(part.shard).targets else {
      preconditionFailure("shard \(part.shard) was opened without targets")
    }
    try targets.read(part.rows, into: &buffer, range)
  }

  /// The first of the values that is not a whole number from 0 to `limit`, counted from the start of the range.
  private static func firstOdd(_ values: Span<Float>, _ range: Range<Int>, limit: Float) -> Int? {
    for index in range {
      let value = values[index]
      let isLabel = value >= 0 && value <= limit && value == value.rounded(.towardZero)
      // What is not finite here belongs to a row that is left out.
      if !isLabel, value.isFinite { return index - range.lowerBound }
    }
    return nil
  }

  /// Puts the place of the one in each row into `buffer`; returns the first row that is not one 1 among zeros.
  private static func indices(
    _ rows: Span<Float>, rows count: Int, classes: Int, into buffer: inout FloatBuffer, at first: Int
  ) -> Int? {
    var indices = buffer.mutableSpan
    for row in 0..<count {
      var found = -1
      for column in 0..<classes {
        let value = rows[row * classes + column]
        if value == 0 { continue }
        guard value == 1, found < 0 else { return row }
        found = column
      }
      guard found >= 0 else { return row }
      indices[first + row] = Float(found)
    }
    return nil
  }
}
