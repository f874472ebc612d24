internal import Data
internal import Files
internal import Kernels

/// Writes the rows of one split, in the order they come, to its shards.
///
final class SplitWriter {
  let plan: ShardPlan
  /// How many rows have come.
  private(set) var rows = 0
  private let columns: Int
  private let hasClasses: Bool
  private let compress: Bool
  private let directory: String
  /// The shard that rows go to, and the writer of its file once it has been begun.
  private var shard = 0
  private var writer: ShardWriter?
  /// Rows that wait to be written together.
  private var features: FloatBuffer
  private var targets: FloatBuffer
  private var held = 0
  private let capacity: Int
  /// zlib's own middle between speed and size.
  static let compressionLevel = 6
  /// The shard's writer gathers whole chunks; this only spares it a call for every row.
  private static let bufferBytes = 1 << 16

  init(plan: ShardPlan, columns: Int, hasClasses: Bool, compress: Bool, directory: String) {
    self.plan = plan
    self.columns = columns
    self.hasClasses = hasClasses
    self.compress = compress
    self.directory = directory
    capacity = max(1, Self.bufferBytes / (4 * columns))
    features = FloatBuffer(count: capacity * columns)
    targets = FloatBuffer(count: capacity)
  }

  /// Takes a row.
  func append(_ values: [Float], target: Float) throws(PreparationError) {
    features.copy(from: values, at: held * columns)
    targets[held] = target
    held += 1
    rows += 1
    if held == capacity || rows == plan.range(shard).upperBound { try flush() }
  }

  /// Completes the last shard, and those that no row went to.
  func finish() throws(PreparationError) {
    try flush()
    while shard < plan.shards { try finishShard() }
  }

  /// Writes the rows that wait, and completes the shard if it has all of its rows.
  private func flush() throws(PreparationError) {
    // More rows than planned come only from an input that changed; the caller compares the counts.
    guard held > 0, shard < plan.shards else {
      held = 0
      return
    }
    do throws(DataError) {
      let view = MatrixView(rows: held, columns: columns)
      try open().append(features, view, targets: targets)
    } catch {
      throw PreparationError(error)
    }
    held = 0
    if rows >= plan.range(shard).upperBound { try finishShard() }
  }

  private func finishShard() throws(PreparationError) {
    do throws(DataError) {
      try open().finish()
    } catch {
      throw PreparationError(error)
    }
    writer = nil
    shard += 1
  }

  private func open() throws(DataError) -> ShardWriter {
    if let writer { return writer }
    let writer = try ShardWriter(
      path: FileSystem.join(directory, plan.name(shard)), columns: columns,
      targets: hasClasses ? .labels : .values(outputs: 1),
      options: ShardWriter.Options(compression: compress ? Self.compressionLevel : nil))
    self.writer = writer
    return writer
  }
}
