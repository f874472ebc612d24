internal import Data
internal import Files
internal import Kernels

/// Writes shards from the rows that the ranks have put aside.
///
/// A shard is written whole by one rank, which reads its rows wherever they lie, in the order of the inputs. So its bytes do not
/// depend on the number of ranks.
struct ShardAssembler {
  let directory: String
  let columns: Int
  let index: RowIndex
  /// For each rank the class of each code of its targets; nil for a regression.
  let classes: [[Int32]]?
  let compress: Bool
  /// Rows of a chunk of features; nil: as many as make about 1 MiB.
  var chunkRows: Int?

  /// zlib's own middle between speed and size.
  static let compressionLevel = 6
  /// About how many bytes are read or written at a time.
  private static let bufferBytes = 1 << 20

  /// A shard and the number of bytes it is worth.
  struct Job: Equatable {
    var plan: ShardPlan
    var shard: Int
  }

  /// The shards that each rank writes: the largest first, each to the rank with the least to do.
  static func deal(_ plans: [ShardPlan], among ranks: Int) -> [[Job]] {
    var jobs: [Job] = []
    for plan in plans { jobs += (0..<plan.shards).map { Job(plan: plan, shard: $0) } }
    func rows(_ job: Job) -> Int { job.plan.range(job.shard).count }
    // A stable order: equal shards stay as they are.
    let order = jobs.indices.sorted { rows(jobs[$0]) != rows(jobs[$1]) ? rows(jobs[$0]) > rows(jobs[$1]) : $0 < $1 }
    var dealt = [[Job]](repeating: [], count: ranks)
    var load = [Int](repeating: 0, count: ranks)
    for index in order {
      guard let rank = load.indices.min(by: { load[$0] != load[$1] ? load[$0] < load[$1] : $0 < $1 }) else { break }
      dealt[rank].append(jobs[index])
      load[rank] += rows(jobs[index]) + 1
    }
    return dealt
  }

  /// Writes shards; returns how many bytes they have.
  func write(_ jobs: [Job], progress: (PreparationProgress) -> Void) throws(PreparationError) -> Int {
    let rowBytes = 4 * (columns + 1)
    let total = jobs.reduce(0) { $0 + $1.plan.range($1.shard).count }
    var (rows, bytes) = (0, 0)
    for job in jobs {
      try write(job) { count in
        rows += count
        progress(PreparationProgress(phase: .writing, bytes: rows * rowBytes, totalBytes: total * rowBytes, rows: rows))
      }
      let path = FileSystem.join(directory, job.plan.name(job.shard))
      let status = try PreparationError.translating { () throws(FilesError) in try FileSystem.status(of: path) }
      bytes += status?.bytes ?? 0
    }
    return bytes
  }

  /// Writes one shard.
  /// - Parameter progress: called with the number of rows written since the last call.
  private func write(_ job: Job, progress: (Int) -> Void) throws(PreparationError) {
    let rows = job.plan.range(job.shard)
    let writer: ShardWriter
    do throws(DataError) {
      writer = try ShardWriter(
        path: FileSystem.join(directory, job.plan.name(job.shard)), columns: columns,
        targets: classes == nil ? .values(outputs: 1) : .labels,
        options: ShardWriter.Options(compression: compress ? Self.compressionLevel : nil, chunkRows: chunkRows))
    } catch {
      throw PreparationError(error)
    }
    var batch = RowBatch(rows: max(1, Self.bufferBytes / (4 * columns)), columns: columns)
    if !rows.isEmpty {
      var source: Source?
      for block in index.block(
        of: rows.lowerBound, job.plan.split)...index.block(of: rows.upperBound - 1, job.plan.split)
      {
        let owner = index.owners[block]
        if source?.rank != owner.rank { source = try Source(directory: directory, rank: owner.rank, columns: columns) }
        let first = index.before[job.plan.split.place][block]
        let wanted =
          max(rows.lowerBound - first, 0)..<min(rows.upperBound, index.before[job.plan.split.place][block + 1]) - first
        try source?.read(
          owner.firstRow..<owner.firstRow + owner.rows, job.plan.split, wanted, classes?[owner.rank], batch: &batch
        ) {
          (batch) throws(PreparationError) in
          try Self.append(&batch, to: writer)
          progress(batch.capacity)
        }
      }
    }
    progress(batch.rows)
    try Self.append(&batch, to: writer)
    do throws(DataError) { try writer.finish() } catch { throw PreparationError(error) }
  }

  private static func append(_ batch: inout RowBatch, to writer: ShardWriter) throws(PreparationError) {
    do throws(DataError) {
      try writer.append(
        batch.features, MatrixView(rows: batch.rows, columns: batch.columns), targets: batch.targets)
    } catch {
      throw PreparationError(error)
    }
    batch.rows = 0
  }

  /// The rows of one rank.
  private final class Source {
    let rank: Int
    private let columns: Int
    private let spill: RowSpill.Reader
    private let routes: File
    private var features: FloatBuffer
    private var targets: FloatBuffer
    private let capacity: Int

    init(directory: String, rank: Int, columns: Int) throws(PreparationError) {
      self.rank = rank
      self.columns = columns
      spill = try RowSpill.Reader(directory: directory, rank: rank, columns: columns)
      routes = try PreparationError.translating { () throws(FilesError) in
        try File.openForReading(FileSystem.join(directory, RowSpill.routesName(rank: rank)))
      }
      capacity = max(1, ShardAssembler.bufferBytes / (4 * columns))
      features = FloatBuffer(count: capacity * columns)
      targets = FloatBuffer(count: capacity * RowSpill.targetWidth)
    }

    /// Adds rows of a block to `batch`, which `flush` empties when it is full.
    ///
    /// - Parameters:
    ///   - range: the rows of the block among the rank's rows.
    ///   - wanted: which of those that belong to `split`, counted from the first of the block on.
    func read(
      _ range: Range<Int>, _ split: SplitName, _ wanted: Range<Int>, _ classes: [Int32]?, batch: inout RowBatch,
      _ flush: (inout RowBatch) throws(PreparationError) -> Void
    ) throws(PreparationError) {
      let routes = try PreparationError.translating { () throws(FilesError) in
        try self.routes.read(at: range.lowerBound, count: range.count)
      }
      guard routes.count == range.count else {
        throw PreparationError(.io, "'\(self.routes.path)' ends after \(routes.count) of \(range.count) rows")
      }
      // The rows of other splits at the ends of the block are not read at all.
      var number = 0
      var row = 0
      while number < wanted.upperBound, row < routes.count {
        let count = min(capacity, routes.count - row)
        var used: [Int] = []
        for index in row..<row + count where routes[index] == split.place {
          if number >= wanted.lowerBound, number < wanted.upperBound { used.append(index - row) }
          number += 1
        }
        if let first = used.first, let last = used.last {
          let start = range.lowerBound + row + first
          try spill.features(start..<start + last - first + 1, into: &features)
          try spill.targets(start..<start + last - first + 1, into: &targets)
          for index in used {
            let value = classes.map { Float($0[Int(targets[RowSpill.targetWidth * (index - first) + 1])]) }
            batch.append(
              features, at: (index - first) * columns, target: value ?? targets[RowSpill.targetWidth * (index - first)])
            if batch.rows == batch.capacity { try flush(&batch) }
          }
        }
        row += count
      }
    }
  }
}

/// Rows that wait to be written together.
struct RowBatch: ~Copyable {
  let capacity: Int
  let columns: Int
  var features: FloatBuffer
  var targets: FloatBuffer
  var rows = 0

  init(rows: Int, columns: Int) {
    capacity = rows
    self.columns = columns
    features = FloatBuffer(count: rows * columns)
    targets = FloatBuffer(count: rows)
  }

  mutating func append(_ row: borrowing FloatBuffer, at offset: Int, target: Float) {
    features.copy(from: row, range: offset..<offset + columns, to: rows * columns)
    targets[rows] = target
    rows += 1
  }
}
