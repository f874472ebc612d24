internal import Data
internal import Files
internal import Kernels

/// Writes shards from the rows that the ranks have put aside.
///
/// A shard is written whole by one rank, in the order of the inputs. So its bytes do not depend on the number of ranks. First
/// every rank hands over the rows that others write, then each writes its shards in one passage over the rows.
struct ShardAssembler {
  let directory: String
  let columns: Int
  let rank: Int
  let index: RowIndex
  /// The rows of this rank.
  let store: RowStore
  /// The class of each code of this rank's targets; nil for a regression.
  let classes: [Int32]?
  /// The shards that this rank writes.
  let jobs: [ShardJob]
  let options: ShardWriter.Options

  /// zlib's own middle between speed and size.
  static let compressionLevel = 6

  private var exchange: RowExchange { RowExchange(directory: directory, columns: columns) }

  /// The rows of each split that this rank writes, by their numbers; shards of a split that follow each other.
  private var own: [Range<Int>] {
    SplitName.allCases.map { split in
      let ranges = jobs.filter { $0.plan.split == split }.map(\.rows)
      return (ranges.map(\.lowerBound).min() ?? 0)..<(ranges.map(\.upperBound).max() ?? 0)
    }
  }

  // MARK: For other ranks

  /// Puts the rows of this rank that others write where these find them.
  func handOver() throws(PreparationError) {
    for split in SplitName.allCases {
      let own = own[split.place]
      let all = 0..<index.rows(split)
      var files: RowExchange.Files?
      for part in own.isEmpty ? [all] : [0..<own.lowerBound, own.upperBound..<all.upperBound] {
        try handOver(part, of: split, to: &files)
      }
    }
  }

  private func handOver(
    _ numbers: Range<Int>, of split: SplitName, to files: inout RowExchange.Files?
  ) throws(PreparationError) {
    var wanted = SplitName.allCases.map { _ in 0..<0 }
    wanted[split.place] = numbers
    let blocks = index.shares[rank].filter { isWanted($0, wanted) }
    guard !blocks.isEmpty else { return }
    if files == nil { files = try exchange.create(rank: rank, split) }
    guard let handed = files else { return }
    let first = index.rows(before: rank, split)
    let piece = RowPiece(columns: columns)
    var next = max(numbers.lowerBound, first) - first
    for block in blocks {
      try forEachSplit(of: block, wanted) {
        (features, first, targets, _, places, count) throws(PreparationError) in
        var done = 0
        while done < count {
          let end = min(count, done + piece.capacity - piece.rows)
          piece.append(features, first, targets, places, done..<end)
          done = end
          if piece.rows == piece.capacity { next = try Self.flush(piece, to: handed, at: next) }
        }
      }
    }
    _ = try Self.flush(piece, to: handed, at: next)
  }

  /// Writes the rows of a piece; returns the place behind them.
  private static func flush(
    _ piece: RowPiece, to files: RowExchange.Files, at place: Int
  ) throws(PreparationError) -> Int {
    try files.features.write(piece.features, count: piece.rows, at: place)
    try files.targets.write(piece.targets, count: piece.rows, at: place)
    let next = place + piece.rows
    piece.rows = 0
    return next
  }

  // MARK: Shards

  /// Writes this rank's shards, when all ranks have handed over; returns how many bytes they have.
  func write(progress: (PreparationProgress) -> Void) throws(PreparationError) -> Int {
    let shards = ShardQueue(jobs, directory: directory, columns: columns, isLabelled: classes != nil, options)
    let own = own
    let rowBytes = 4 * (columns + 1)
    let total = own.reduce(0) { $0 + $1.count }
    let foreign = RowPiece(columns: columns)
    for block in index.owners.indices where isWanted(block, own) {
      let owner = index.owners[block]
      if owner.rank == rank {
        store.forget(before: owner.firstRow)
        try forEachSplit(of: block, own) {
          (features, first, targets, split, places, count) throws(PreparationError) in
          try shards.append(features, first, targets, places, count, to: split)
        }
      } else {
        for split in SplitName.allCases {
          let range = index.numbers(of: block, split).clamped(to: own[split.place])
          try fetch(range, of: split, from: owner.rank, into: foreign, shards)
        }
      }
      progress(
        PreparationProgress(
          phase: .writing, bytes: shards.rows * rowBytes, totalBytes: total * rowBytes, rows: shards.rows))
    }
    return try shards.finish()
  }

  /// Appends rows that another rank has handed over to their shards.
  private func fetch(
    _ numbers: Range<Int>, of split: SplitName, from rank: Int, into piece: RowPiece, _ shards: ShardQueue
  ) throws(PreparationError) {
    guard !numbers.isEmpty else { return }
    let files = try exchange.open(rank: rank, split)
    let first = index.rows(before: rank, split)
    var next = numbers.lowerBound
    while next < numbers.upperBound {
      let count = min(piece.capacity, numbers.upperBound - next)
      let range = next - first..<next - first + count
      try files.features.read(range, into: &piece.features)
      try files.targets.read(range, into: &piece.targets)
      try shards.append(
        piece.features, 0, piece.targets, (0..<count).map { Int32(truncatingIfNeeded: $0) }, count, to: split)
      next += count
    }
  }

  // MARK: Rows of this rank

  /// Whether a block has rows of the given numbers.
  private func isWanted(_ block: Int, _ wanted: [Range<Int>]) -> Bool {
    SplitName.allCases.contains { !index.numbers(of: block, $0).clamped(to: wanted[$0.place]).isEmpty }
  }

  /// Calls `body` with the rows of each split in a block of this rank, some at a time, as far as their numbers are wanted: with a
  /// buffer of features and the row of it that places count from, a buffer of targets, the places, and how many of these there are.
  private func forEachSplit(
    of block: Int, _ wanted: [Range<Int>],
    _ body: (borrowing FloatBuffer, Int, borrowing FloatBuffer, SplitName, [Int32], Int) throws(PreparationError) ->
      Void
  ) throws(PreparationError) {
    let owner = index.owners[block]
    let routes = try self.routes(owner.firstRow..<owner.firstRow + owner.rows)
    var numbers = SplitName.allCases.map { index.numbers(of: block, $0).lowerBound }
    let most = min(RowPiece.rows(columns: columns), owner.rows)
    var raw = FloatBuffer(count: most * RowStore.targetWidth)
    var targets = FloatBuffer(count: most)
    var room = FloatBuffer(count: 0)
    var places = [Int32](repeating: 0, count: most)
    var row = 0
    while row < routes.count {
      let end = min(row + most, routes.count)
      let rows = owner.firstRow + row..<owner.firstRow + end
      try store.targets(rows, into: &raw)
      resolve(raw, rows.count, to: &targets)
      try store.withFeatures(rows, room: &room) { (features, first) throws(PreparationError) in
        for split in SplitName.allCases {
          let count = Self.find(
            split, routes.span.extracting(row..<end), &numbers[split.place], wanted[split.place], to: &places)
          if count > 0 { try body(features, first, targets, split, places, count) }
        }
      }
      row = end
    }
  }

  /// Finds the places of a split's rows among those with `routes`, as far as their numbers are wanted; returns how many there are.
  /// - Parameter number: that of the next row of the split.
  private static func find(
    _ split: SplitName, _ routes: Span<UInt8>, _ number: inout Int, _ wanted: Range<Int>, to places: inout [Int32]
  ) -> Int {
    let route = split.route
    let (low, high) = (wanted.lowerBound - number, wanted.upperBound - number)
    var (count, met) = (0, 0)
    var found = places.mutableSpan
    // Without a branch that depends on the row: which split it is in, nobody can guess.
    for place in 0..<routes.count {
      found[count] = Int32(truncatingIfNeeded: place)
      let isIn = routes[place] == route ? 1 : 0
      count += isIn & (met >= low ? 1 : 0) & (met < high ? 1 : 0)
      met += isIn
    }
    number += met
    return count
  }

  /// The targets as the shards have them: values, or numbers of classes.
  private func resolve(_ raw: borrowing FloatBuffer, _ rows: Int, to targets: inout FloatBuffer) {
    let raw = raw.span
    var targets = targets.mutableSpan
    guard let classes else {
      for row in 0..<rows { targets[row] = raw[RowStore.targetWidth * row] }
      return
    }
    for row in 0..<rows { targets[row] = Float(classes[Int(raw[RowStore.targetWidth * row + 1])]) }
  }

  /// The splits of rows of this rank, by their place in `SplitName.allCases`.
  private func routes(_ rows: Range<Int>) throws(PreparationError) -> [UInt8] {
    let path = FileSystem.join(directory, RowSpill.routesName(rank: rank))
    let routes = try PreparationError.translating { () throws(FilesError) in
      try File.openForReading(path).read(at: rows.lowerBound, count: rows.count)
    }
    guard routes.count == rows.count, routes.allSatisfy({ $0 < SplitName.allCases.count }) else {
      throw PreparationError(.io, "'\(path)' does not hold the splits of \(rows.count) rows")
    }
    return routes
  }
}
