internal import Data
internal import Files
internal import Kernels

/// The shards that a rank writes, one after the other in each split, as their rows come.
final class ShardQueue {
  /// Rows that have been appended.
  private(set) var rows = 0
  private let directory: String
  private let columns: Int
  private let isLabelled: Bool
  private let options: ShardWriter.Options
  /// The shards of each split that are not complete, in their order; the first of them may be open.
  private var waiting: [ArraySlice<ShardJob>]
  private var open: [ShardWriter?]
  private var bytes = 0
  /// Shards that are written, if not on the disk yet.
  private var complete: [String] = []

  init(_ jobs: [ShardJob], directory: String, columns: Int, isLabelled: Bool, _ options: ShardWriter.Options) {
    self.directory = directory
    self.columns = columns
    self.isLabelled = isLabelled
    self.options = options
    waiting = SplitName.allCases.map { split in
      jobs.filter { $0.plan.split == split }.sorted { $0.shard < $1.shard }[...]
    }
    open = SplitName.allCases.map { _ in nil }
  }

  /// Appends the first `count` rows `places` of `features`, counted from its row `first`, with their targets to the shards of a split.
  func append(
    _ features: borrowing FloatBuffer, _ first: Int, _ targets: borrowing FloatBuffer, _ places: [Int32], _ count: Int,
    to split: SplitName
  ) throws(PreparationError) {
    var next = 0
    while next < count {
      let writer = try writer(split)
      guard let job = waiting[split.place].first else { preconditionFailure("rows without a shard") }
      let end = min(count, next + job.rows.count - writer.rows)
      do throws(DataError) {
        try writer.append(rows: places, next..<end, of: features, from: first, targets: targets)
      } catch {
        throw PreparationError(error)
      }
      rows += end - next
      next = end
      if writer.rows == job.rows.count { try complete(split) }
    }
  }

  /// Completes the shards that have no rows and brings all shards to the disk; returns how many bytes they have.
  func finish() throws(PreparationError) -> Int {
    for split in SplitName.allCases {
      while let job = waiting[split.place].first {
        let writer = try writer(split)
        precondition(writer.rows == job.rows.count, "\(writer.rows) of the \(job.rows.count) rows of a shard")
        try complete(split)
      }
    }
    try PreparationError.translating { () throws(FilesError) in
      for path in complete { try FileSystem.synchronize(path) }
      if !complete.isEmpty { try FileSystem.synchronizeDirectory(directory) }
    }
    return bytes
  }

  /// The shard that the next row of a split goes to.
  private func writer(_ split: SplitName) throws(PreparationError) -> ShardWriter {
    if let writer = open[split.place] { return writer }
    // Those without rows come and go.
    while let job = waiting[split.place].first, job.rows.isEmpty, waiting[split.place].count > 1 {
      open[split.place] = try make(job)
      try complete(split)
    }
    guard let job = waiting[split.place].first else { preconditionFailure("more rows than the shards have") }
    let writer = try make(job)
    open[split.place] = writer
    return writer
  }

  private func make(_ job: ShardJob) throws(PreparationError) -> ShardWriter {
    do throws(DataError) {
      return try ShardWriter(
        path: path(job), columns: columns, targets: isLabelled ? .labels : .values(outputs: 1), options: options)
    } catch {
      throw PreparationError(error)
    }
  }

  private func complete(_ split: SplitName) throws(PreparationError) {
    guard let job = waiting[split.place].popFirst() else { preconditionFailure("no shard to complete") }
    do throws(DataError) { try open[split.place]?.finish(isSynchronized: false) } catch {
      throw PreparationError(error)
    }
    open[split.place] = nil
    let status = try PreparationError.translating { () throws(FilesError) in try FileSystem.status(of: path(job)) }
    bytes += status?.bytes ?? 0
    complete.append(path(job))
  }

  private func path(_ job: ShardJob) -> String { FileSystem.join(directory, job.plan.name(job.shard)) }
}
