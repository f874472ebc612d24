import Data
import Files
import HDF5
import Kernels
import Text

/// Rows of an HDF5 file, which a writer may still add to.
///
/// A writer of SWMR (single writer, multiple readers) is read as it writes: rows count once features and targets are both there. Other
/// writers close the file between two additions, and it is opened again.
final class HDF5Rows {
  let path: String
  let columns: Int
  private let schema: RowSchema
  private let follows: Bool
  private var shard: Open
  /// The next row.
  private(set) var row: Int
  /// Rows that are there.
  private var rows = 0

  /// A block of rows that was read together.
  private var features: FloatBuffer
  private var targets: FloatBuffer
  private var times: [Double]
  private var block = 0..<0
  private let blockRows: Int

  /// When the rows of the block had arrived, at the latest.
  private(set) var arrived: ContinuousClock.Instant
  private var lookedAt = ContinuousClock.now
  private var seen: FileStatus?
  private var failingSince: ContinuousClock.Instant?

  private struct Open: ~Copyable {
    let file: HDF5File
    let features: HDF5Dataset
    let targets: HDF5Dataset
    let times: HDF5Dataset?

    /// Rows of which all is there.
    var rows: Int {
      let known = min(features.shape[0], targets.shape[0])
      switch times {
      case .some(let set): return min(known, set.shape[0])
      case .none: return known
      }
    }
  }

  private static let blockBytes = 1 << 19
  /// The clock by which file systems say when a file was written moves in steps of some milliseconds.
  private static let clockStep = 20_000_000
  /// So often there is a look at the file itself, whatever the file system says of it.
  private static let surestLook = Duration.milliseconds(100)
  /// A file that cannot be read for so long will not become readable.
  private static let patience = Duration.seconds(10)

  /// - Parameter row: the next row, where those before it are done with.
  /// - Throws: `DataError` where the file cannot be read, or has fewer rows than are done with.
  init(_ path: String, schema: RowSchema, follows: Bool, row: Int) throws(DataError) {
    self.path = path
    self.schema = schema
    self.follows = follows
    self.row = row
    let found = try DataError.reading { () throws(FilesError) in
      try ShardInspector.describe(
        [path], features: schema.featuresDataset, targets: schema.targetsDataset, scanLabels: false)
    }
    // The rows of features and targets may differ in number while a writer is at work.
    if !follows, let failure = found[0].failure { throw failure }
    shard = try Self.open(path, schema)
    let shape = shard.features.shape
    columns = shape.dropFirst().reduce(1, *)
    blockRows = max(1, Self.blockBytes / 4 / max(1, columns))
    features = FloatBuffer(count: blockRows * columns)
    targets = FloatBuffer(count: blockRows)
    times = [Double](repeating: 0, count: schema.time == nil ? 0 : blockRows)
    arrived = .now
    rows = shard.rows
    guard row <= rows else { throw Self.shrunk(path, rows, row) }
    seen = try? FileSystem.status(of: path)
  }

  private static func open(_ path: String, _ schema: RowSchema) throws(DataError) -> Open {
    let file = try DataError.wrapping { () throws(HDF5Error) in try HDF5File.open(path) }
    let features = try file.dataSet(named: schema.featuresDataset, role: "features")
    let targets = try file.dataSet(named: schema.targetsDataset, role: "targets")
    guard !features.shape.isEmpty, isColumn(targets.shape) else {
      throw DataError(
        .invalid,
        "'\(path)' has '\(schema.featuresDataset)' \(features.shape) and '\(schema.targetsDataset)' \(targets.shape); "
          + "features need rows, and targets one value a row")
    }
    guard let time = schema.time else { return Open(file: file, features: features, targets: targets, times: nil) }
    let times = try file.dataSet(named: time, role: "time")
    guard isColumn(times.shape) else {
      throw DataError(.invalid, "'\(path)' has '\(time)' \(times.shape), which is not one value a row")
    }
    return Open(file: file, features: features, targets: targets, times: times)
  }

  private static func isColumn(_ shape: [Int]) -> Bool {
    !shape.isEmpty && shape.dropFirst().allSatisfy { $0 == 1 }
  }

  private static func shrunk(_ path: String, _ rows: Int, _ row: Int) -> DataError {
    DataError(
      .invalid, "'\(path)' has \(grouped(rows)) rows, and \(grouped(row)) of it are learned: it was replaced or cut",
      hint: "give a new file a name of its own")
  }

  /// Rows that are there and not handed out.
  var rowsLeft: Int { rows - row }

  /// Goes on to the next row.
  func next(
    into values: inout MutableSpan<Float>, at place: Int, target: inout Float, time: inout Double
  ) throws(DataError) -> SourceEvent {
    if !block.contains(row) {
      if row == rows {
        guard follows else { return .end }
        guard try look() else { return .nothing }
      }
      guard try load() else { return .nothing }
    }
    let first = (row - block.lowerBound) * columns
    for column in 0..<columns { values[place + column] = features[first + column] }
    target = targets[row - block.lowerBound]
    if !times.isEmpty { time = times[row - block.lowerBound] }
    row += 1
    return .row
  }

  /// Rows that lie ready to be taken together; none where each has a time of its own to be looked at.
  var rowsReady: Int { times.isEmpty && block.contains(row) ? block.upperBound - row : 0 }

  /// Offers `batch` the next `count` rows, which are ready; returns whether it took them.
  /// - Parameter number: gives that of each of them, from 0 on.
  func take(
    _ count: Int, into batch: inout RowBatch, classes: Int?, allowsMissing: Bool, number: (Int) -> Int
  ) -> Bool {
    let first = row - block.lowerBound
    let isTaken = batch.take(
      features, targets, first..<first + count, classes: classes, allowsMissing: allowsMissing, arrived: arrived,
      number: number)
    if isTaken { row += count }
    return isTaken
  }

  /// Reads the next rows that are there; false where a writer is in the way.
  private func load() throws(DataError) -> Bool {
    let wanted = row..<min(rows, row + blockRows)
    do throws(HDF5Error) {
      try Self.read(shard.features, wanted, into: &features)
      try Self.read(shard.targets, wanted, into: &targets)
      switch shard.times {
      case .some(let set): try Self.read(set, wanted, into: &times)
      case .none: break
      }
    } catch {
      try pass(DataError(error))
      return false
    }
    failingSince = nil
    block = wanted
    return true
  }

  private static func read(
    _ set: borrowing HDF5Dataset, _ rows: Range<Int>, into values: inout FloatBuffer
  ) throws(HDF5Error) {
    var span = values.mutableSpan
    try set.readConverting(rows: rows, into: &span)
  }

  private static func read(
    _ set: borrowing HDF5Dataset, _ rows: Range<Int>, into values: inout [Double]
  ) throws(HDF5Error) {
    var span = values.mutableSpan
    try set.readConverting(rows: rows, into: &span)
  }

  /// Looks for more rows; returns whether there are any.
  private func look() throws(DataError) -> Bool {
    let now = ContinuousClock.now
    let status = try DataError.reading { () throws(FilesError) in try FileSystem.status(of: path) }
    guard let status, status.number == seen?.number ?? status.number else {
      throw DataError(
        .invalid,
        "'\(path)' was \(status == nil ? "removed" : "replaced") while it was read, after \(grouped(row)) rows",
        hint: "give a new file a name of its own")
    }
    let isFresh = Machine.nanosecondsSince1970 - status.modified < Self.clockStep
    guard status != seen || isFresh || now - lookedAt > Self.surestLook else { return false }
    let before = lookedAt
    lookedAt = now
    do throws(DataError) {
      if shard.file.isShared {
        rows = try Self.refresh(shard)
      } else if status != seen {
        let again = try Self.open(path, schema)
        guard again.features.shape.dropFirst().reduce(1, *) == columns else {
          throw DataError(.invalid, "'\(path)' has changed its columns while it was read")
        }
        shard = again
        rows = shard.rows
      }
    } catch {
      try pass(error)
      return false
    }
    seen = status
    failingSince = nil
    guard rows >= row else { throw Self.shrunk(path, rows, row) }
    arrived = before
    return rows > row
  }

  private static func refresh(_ shard: borrowing Open) throws(DataError) -> Int {
    do throws(HDF5Error) {
      var times: Int?
      switch shard.times {
      case .some(let set): times = try set.refresh()
      case .none: break
      }
      return min(try shard.features.refresh(), try shard.targets.refresh(), times ?? .max)
    } catch {
      throw DataError(error)
    }
  }

  /// Takes note that a file that is being written cannot be read at this moment.
  /// - Throws: `error`, where that does not pass.
  private func pass(_ error: DataError) throws(DataError) {
    let now = ContinuousClock.now
    let since = failingSince ?? now
    failingSince = since
    guard follows, now - since < Self.patience else { throw error }
  }
}
