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
      try forEachSplit(of: block, wanted) { (rows, _, places) throws(PreparationError) in
        var done = 0
        while done < places.count {
          let end = min(places.count, done + piece.capacity - piece.rows)
          piece.append(rows, places, done..<end)
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
        try forEachSplit(of: block, own) { (piece, split, places) throws(PreparationError) in
          try shards.append(piece, places, to: split)
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
      try shards.append(piece, (0..<count).map { Int32(truncatingIfNeeded: $0) }, to: split)
      next += count
    }
  }

  // MARK: Rows of this rank

  /// Whether a block has rows of the given numbers.
  private func isWanted(_ block: Int, _ wanted: [Range<Int>]) -> Bool {
    SplitName.allCases.contains { !index.numbers(of: block, $0).clamped(to: wanted[$0.place]).isEmpty }
  }

  /// Calls `body` with the rows of each split in a block of this rank, a piece of it at a time, as far as their numbers are
  /// wanted: with the piece that they are in, and their places in it.
  private func forEachSplit(
    of block: Int, _ wanted: [Range<Int>],
    _ body: (RowPiece, SplitName, [Int32]) throws(PreparationError) -> Void
  ) throws(PreparationError) {
    let owner = index.owners[block]
    let routes = try self.routes(owner.firstRow..<owner.firstRow + owner.rows)
    var numbers = SplitName.allCases.map { index.numbers(of: block, $0).lowerBound }
    let piece = RowPiece(columns: columns)
    var raw = FloatBuffer(count: piece.capacity * RowStore.targetWidth)
    var places: [Int32] = []
    places.reserveCapacity(piece.capacity)
    var row = 0
    while row < routes.count {
      let end = min(row + piece.capacity, routes.count)
      let rows = owner.firstRow + row..<owner.firstRow + end
      try store.features(rows, into: &piece.features)
      try store.targets(rows, into: &raw)
      for place in 0..<rows.count {
        let value = raw[RowStore.targetWidth * place]
        piece.targets[place] = classes.map { Float($0[Int(raw[RowStore.targetWidth * place + 1])]) } ?? value
      }
      piece.rows = rows.count
      for split in SplitName.allCases {
        places.removeAll(keepingCapacity: true)
        var number = numbers[split.place]
        let wanted = wanted[split.place]
        for place in 0..<rows.count where routes[row + place] == UInt8(truncatingIfNeeded: split.place) {
          if wanted.contains(number) { places.append(Int32(truncatingIfNeeded: place)) }
          number += 1
        }
        numbers[split.place] = number
        if !places.isEmpty { try body(piece, split, places) }
      }
      row = end
    }
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
