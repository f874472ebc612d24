internal import Data
internal import Files
internal import Kernels

/// Shards that are written together: each takes its rows out of the prepared blocks as they come.
final class ShardSet {
  /// A shard: its file, its split, and which of the split's rows it holds.
  struct Job: Equatable, Sendable {
    var file: String
    var split: SplitName
    var rows: Range<Int>
  }

  /// So many shards are open at the same time; each holds a chunk.
  static let most = 16

  private let jobs: [Job]
  private var writers: [ShardWriter] = []
  private let columns: Int
  private var buffer: FloatBuffer
  private var targets: FloatBuffer
  private static let bufferRows = 1024

  init(_ jobs: [Job], directory: String, columns: Int, hasClasses: Bool, compress: Bool) throws(DataError) {
    self.jobs = jobs
    self.columns = columns
    let rows = max(1, min(Self.bufferRows, (1 << 20) / columns))
    buffer = FloatBuffer(count: rows * columns)
    targets = FloatBuffer(count: rows)
    for job in jobs {
      writers.append(
        try ShardWriter(
          path: FileSystem.join(directory, job.file), columns: columns,
          targets: hasClasses ? .labels : .values(outputs: 1),
          options: ShardWriter.Options(compression: compress ? SplitWriter.compressionLevel : nil)))
    }
  }

  /// Whether a block with these rows of each split has some for these shards.
  /// - Parameter before: rows of each split in the blocks before, by the split's place.
  func needs(_ counts: [Int], before: [Int]) -> Bool {
    jobs.contains { job in
      let first = before[job.split.place]
      return job.rows.overlaps(first..<first + counts[job.split.place])
    }
  }

  /// Takes the rows of a block.
  /// - Parameters:
  ///   - splits: of each row of the block.
  ///   - before: rows of each split in the blocks before.
  func append(_ prepared: FittedPipeline.PreparedRows, splits: [SplitName?], before: [Int]) throws(DataError) {
    for (index, job) in jobs.enumerated() {
      var number = before[job.split.place]
      var places: [Int] = []
      for (place, row) in prepared.rows.enumerated() where splits[row] == job.split {
        if job.rows.contains(number) { places.append(place) }
        number += 1
      }
      try append(places, of: prepared, to: writers[index])
    }
  }

  private func append(
    _ places: [Int], of prepared: FittedPipeline.PreparedRows, to writer: ShardWriter
  ) throws(DataError) {
    var held = 0
    for (count, place) in places.enumerated() {
      Self.copy(prepared.features.span, place * columns, columns, to: &buffer, held * columns)
      targets[held] = prepared.targets[place]
      held += 1
      guard held == targets.count || count == places.count - 1 else { continue }
      try writer.append(buffer, MatrixView(rows: held, columns: columns), targets: targets)
      held = 0
    }
  }

  private static func copy(
    _ values: Span<Float>, _ from: Int, _ count: Int, to buffer: inout FloatBuffer, _ offset: Int
  ) {
    var span = buffer.mutableSpan
    for index in 0..<count { span[offset + index] = values[from + index] }
  }

  /// Completes all shards, also those that have no row.
  func finish() throws(DataError) {
    for (writer, job) in zip(writers, jobs) {
      precondition(writer.rows == job.rows.count, "\(writer.rows) rows in a shard of \(job.rows.count)")
      try writer.finish()
    }
  }
}
