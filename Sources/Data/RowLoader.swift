import HDF5
import Kernels
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
  /// What was read so far, and in which time.
  private(set) var effort = ReadingEffort()

  /// Rows on their way to their places.
  private var staging = FloatBuffer(count: 0)
  private var stagedTargets = FloatBuffer(count: 0)
  /// Stored one-hot targets on their way to class indices.
  private var oneHot = FloatBuffer(count: 0)
  private static let oneHotBytes = 1 << 18
  /// Rows as stored, on their way to other places.
  private var stored = FloatBuffer(count: 0)

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

  /// Another one for the same rows, for another thread.
  func another() throws(DataError) -> RowLoader {
    try RowLoader(dataset: dataset, use: use, transform: transform, parts: parts, nonFinite: nonFinite)
  }

  /// Reads `rows` of the data set to row `row` of the buffers and what follows. Large ranges are read in large pieces.
  ///
  /// - Throws: `DataError` naming shard and row if a value is not finite or a label is not allowed, or if reading fails.
  func load(
    _ rows: Range<Int>, features: inout FloatBuffer, targets: inout FloatBuffer, at row: Int
  ) throws(DataError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= dataset.rows, "rows \(rows) of \(dataset.rows)")
    guard !parts.isEmpty else { return }
    try timed { () throws(DataError) in try loadShards(rows, &features, &targets, at: row) }
  }

  /// Reads `rows` of the data set, each to that row of the buffers which `places` names in turn from `start` on.
  /// - Throws: as `load`.
  func scatter(
    _ rows: Range<Int>, features: inout FloatBuffer, targets: inout FloatBuffer, at places: [Int32], from start: Int
  ) throws(DataError) {
    guard !parts.isEmpty else { return }
    try timed { () throws(DataError) in
      for part in shardRows(of: rows) {
        let first = start + part.first - rows.lowerBound
        var done = 0
        while done < part.rows.count {
          let block = block(of: part, from: done)
          try scatterFeatures(
            part.part(block), into: &features, at: places, first + block.lowerBound..<first + block.upperBound)
          done = block.upperBound
        }
        try scatterTargets(part, into: &targets, at: places, first..<first + part.rows.count)
      }
    }
  }

  /// Adds the time that `body` takes to the effort.
  func timed<Result>(_ body: () throws(DataError) -> Result) throws(DataError) -> Result {
    let start = ContinuousClock.now
    defer { effort.time += start.duration(to: .now) }
    return try Pulse.during(.reading, body)
  }

  private func loadShards(
    _ rows: Range<Int>, _ features: inout FloatBuffer, _ targets: inout FloatBuffer, at row: Int
  ) throws(DataError) {
    for part in shardRows(of: rows) {
      let place = row + part.first - rows.lowerBound
      var done = 0
      while done < part.rows.count {
        let block = block(of: part, from: done)
        // What is read next may be written over.
        let room = (part.rows.count - done) * columns
        try loadFeatures(part.part(block), into: &features, at: place + done, room: room)
        done = block.upperBound
      }
      try loadTargets(part, into: &targets, at: place)
    }
  }

  /// Rows of one shard, counted in the shard.
  struct ShardRows {
    let shard: Int
    let rows: Range<Int>
    /// The first of them among the rows of the data set.
    let first: Int

    /// Those of them that have these numbers among them.
    func part(_ range: Range<Int>) -> ShardRows {
      let start = rows.lowerBound
      return ShardRows(
        shard: shard, rows: start + range.lowerBound..<start + range.upperBound, first: first + range.lowerBound)
    }
  }

  /// The rows of each shard in `rows`.
  func shardRows(of rows: Range<Int>) -> [ShardRows] {
    guard !rows.isEmpty else { return [] }
    var parts: [ShardRows] = []
    var (shard, start) = dataset.place(ofRow: rows.lowerBound)
    var first = rows.lowerBound
    while first < rows.upperBound {
      let count = min(rows.upperBound - first, dataset.shards[shard].rows - start)
      if count > 0 { parts.append(ShardRows(shard: shard, rows: start..<start + count, first: first)) }
      first += count
      shard += 1
      start = 0
    }
    return parts
  }

  /// The rows of `part`, counted in it, that are read, transformed and checked together from `start` on: up to the end of a block,
  /// which is whole chunks and so small that it stays in the processor's cache meanwhile.
  func block(of part: ShardRows, from start: Int) -> Range<Int> {
    let blockRows = SampleOrder.blockRows(columns: dataset.columns, chunkRows: dataset.shards[part.shard].chunkRows)
    let left = blockRows - (part.rows.lowerBound + start) % blockRows
    return start..<min(part.rows.count, left < part.rows.count - start ? start + left : part.rows.count)
  }

  /// Reads the features of `part` to row `row` of `buffer` and what follows, if this loader reads any.
  /// - Parameter room: floats from there on that may be written over; at least those of the rows.
  func loadFeatures(
    _ part: ShardRows, into buffer: inout FloatBuffer, at row: Int, room: Int
  ) throws(DataError) {
    guard parts.contains(.features) else { return }
    let features = try openFeatures(part.shard)
    if loadPieces(of: part, features, into: &buffer, at: row) { return }
    let range = row * columns..<(row + part.rows.count) * columns
    if let adapter = featureAdapter(part.shard) {
      let count = part.rows.count * adapter.places.count
      stored.reserve(count)
      try features.read(part.rows, into: &stored, 0..<count)
      adapter.restore(&stored, offset: 0, rows: part.rows.count)
      adapter.place(stored, rows: part.rows.count, into: &buffer, at: range.lowerBound)
    } else {
      try features.read(part.rows, into: &buffer, range.lowerBound..<range.lowerBound + room)
    }
    guard accept(&buffer, range) else {
      let index = (Elementwise.firstNonFinite(buffer, range) ?? range.lowerBound) - range.lowerBound
      throw notFinite(
        features: true, shard: part.shard, row: part.rows.lowerBound + index / columns, column: index % columns,
        value: buffer[range.lowerBound + index])
    }
  }

  /// Reads the features of `part`, a block, each row to that row of `memory` which `places[range]` names.
  func scatterFeatures(
    _ part: ShardRows, into memory: inout FloatBuffer, at places: [Int32], _ range: Range<Int>
  ) throws(DataError) {
    guard parts.contains(.features) else { return }
    if try scatterPieces(of: part, into: &memory, at: places, range) { return }
    staging.reserve(part.rows.count * columns + Self.checksumFloats)
    try loadFeatures(part, into: &staging, at: 0, room: staging.count)
    // Looked at by `loadFeatures`.
    _ = memory.scatter(staging, rows: 0..<part.rows.count, columns: columns, to: places, range)
  }

  /// Room behind a block for the checksum that is read with it.
  private static let checksumFloats = 16

  /// How the features of a shard become those that are read; nil where they are those already.
  private func featureAdapter(_ shard: Int) -> RowAdapter? {
    dataset.adapter(ofShard: shard).flatMap { $0.keepsFeatures ? nil : $0 }
  }

  private func openFeatures(_ shard: Int) throws(DataError) -> ShardFiles.OpenSet {
    guard let features = try files.shard(shard).features else {
      preconditionFailure("shard \(shard) was opened without features")
    }
    return features
  }

  /// Reads the features of `part` piece by piece, each of which is transformed and checked in the cache; false where something is not as it
  /// should be: then who reads them in one finds what it is.
  private func loadPieces(
    of part: ShardRows, _ features: ShardFiles.OpenSet, into buffer: inout FloatBuffer, at row: Int
  ) -> Bool {
    guard featureAdapter(part.shard) == nil, var pieces = features.pieces(of: part.rows) else { return false }
    var done = 0
    while let rows = Self.next(of: &pieces, into: &buffer, at: (row + done) * columns) {
      guard accept(&buffer, (row + done) * columns..<(row + done + rows) * columns) else { return false }
      done += rows
    }
    return done == part.rows.count
  }

  /// As `loadPieces`, for `scatterFeatures`.
  private func scatterPieces(
    of part: ShardRows, into memory: inout FloatBuffer, at places: [Int32], _ range: Range<Int>
  ) throws(DataError) -> Bool {
    guard featureAdapter(part.shard) == nil, var pieces = try openFeatures(part.shard).pieces(of: part.rows) else {
      return false
    }
    staging.reserve(min(pieces.largest, part.rows.count) * columns)
    var done = 0
    while let rows = Self.next(of: &pieces, into: &staging, at: 0) {
      transform(&staging, 0..<rows * columns)
      let place = range.lowerBound + done
      let isFinite = memory.scatter(staging, rows: 0..<rows, columns: columns, to: places, place..<place + rows)
      guard isFinite || nonFinite == .skipRow else { return false }
      done += rows
    }
    return done == part.rows.count
  }

  private static func next(of pieces: inout RowPieces, into buffer: inout FloatBuffer, at offset: Int) -> Int? {
    var all = buffer.mutableSpan
    var room = all._mutatingExtracting(offset...)
    return pieces.next(into: &room)
  }

  /// Transforms rows that were read; what is to be replaced in them is. What is not finite stays so, and what becomes so is found as well by
  /// who looks afterwards.
  private func transform(_ buffer: inout FloatBuffer, _ range: Range<Int>) {
    transform.apply(to: &buffer, offset: range.lowerBound, rows: range.count / columns, columns: columns)
    if case .replace(let value) = nonFinite {
      transform.replaceNonFinite(in: &buffer, range, columns: columns, with: value)
    }
  }

  /// Transforms rows that were read; false where a number is not finite and no policy allows it.
  private func accept(_ buffer: inout FloatBuffer, _ range: Range<Int>) -> Bool {
    transform(&buffer, range)
    return Elementwise.isFinite(buffer, range) || nonFinite == .skipRow
  }

  /// Reads the targets of `part` to row `row` of `buffer` and what follows, if this loader reads any.
  ///
  /// To be called behind `loadFeatures` for the same rows, which then are read.
  func loadTargets(_ part: ShardRows, into buffer: inout FloatBuffer, at row: Int) throws(DataError) {
    defer { effort.rows += part.rows.count }
    guard parts.contains(.targets) else { return }
    let width = targetsPerRow
    let range = row * width..<(row + part.rows.count) * width
    if case .classIndex(let classes) = use, dataset.shards[part.shard].targetColumns != 1 {
      return try loadOneHot(part, classes: classes, into: &buffer, at: row)
    }
    try readTargets(part, into: &buffer, range)
    guard Elementwise.isFinite(buffer, range) || nonFinite == .skipRow else {
      let index = (Elementwise.firstNonFinite(buffer, range) ?? range.lowerBound) - range.lowerBound
      throw notFinite(
        features: false, shard: part.shard, row: part.rows.lowerBound + index / width, column: index % width,
        value: buffer[range.lowerBound + index])
    }
    let adapter = dataset.adapter(ofShard: part.shard)
    let limit: Float
    switch use {
    case .classIndex(let classes): limit = Float((adapter?.classes?.count ?? classes) - 1)
    case .binary: limit = Float((adapter?.classes?.count ?? 2) - 1)
    case .values, .none: return
    }
    if limit > 0x1p22 || !Elementwise.areWhole(buffer, range, upTo: limit),
      let index = Self.firstOdd(buffer.span, range, limit: limit)
    {
      throw oddLabel(part.shard, row: part.rows.lowerBound + index / width, column: index % width, limit: Int(limit))
    }
    adapter?.mapClasses(&buffer, range)
  }

  /// Reads the targets of `part`, each row's to that row of `memory` which `places[range]` names; to be called as `loadTargets` is.
  func scatterTargets(
    _ part: ShardRows, into memory: inout FloatBuffer, at places: [Int32], _ range: Range<Int>
  ) throws(DataError) {
    stagedTargets.reserve(part.rows.count * targetsPerRow)
    try loadTargets(part, into: &stagedTargets, at: 0)
    _ = memory.scatter(stagedTargets, rows: 0..<part.rows.count, columns: targetsPerRow, to: places, range)
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
      try readTargets(part.part(done..<done + count), into: &oneHot, 0..<count * classes)
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
