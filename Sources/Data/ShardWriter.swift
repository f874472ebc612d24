import Files
import HDF5
public import Kernels

/// Writes one shard: features as float32, targets as int32 or float32, in chunks of about 1 MiB with checksums.
///
/// The file is written beside its place under a hidden name and takes its own when `finish` is called: complete or not there.
/// The same rows give the same bytes. Used by one thread at a time.
public final class ShardWriter {
  /// What the targets are stored as.
  public enum Targets: Equatable, Sendable {
    case none
    /// One class index a row, int32 [rows].
    case labels
    /// `outputs` values a row, float32 [rows] for one output, else [rows, outputs].
    case values(outputs: Int)

    public var perRow: Int {
      switch self {
      case .none: 0
      case .labels: 1
      case .values(let outputs): outputs
      }
    }
  }

  public struct Options: Equatable, Sendable {
    public var features = DataSource.defaultFeatures
    public var targets = DataSource.defaultTargets
    /// Level of compression, 1 to 9; nil for none.
    public var compression: Int?
    /// Rows of a chunk of features; nil: as many as make about 1 MiB.
    public var chunkRows: Int?

    public init(compression: Int? = nil, chunkRows: Int? = nil) {
      self.compression = compression
      self.chunkRows = chunkRows
    }
  }

  private static let chunkBytes = 1 << 20
  /// Targets are small: a chunk of them is read for each block of features, whose rows are but a part of it.
  private static let targetChunkBytes = 1 << 16

  public let path: String
  public let columns: Int
  public let targets: Targets
  /// Rows appended so far.
  public private(set) var rows = 0

  private let options: Options
  private let chunkRows: Int
  private let partial: String
  /// Nil once finished or given up.
  private var file: HDF5File?
  /// Made when the first chunk is full or all rows are known.
  private var featureSet: OpenSet?
  private var targetSet: OpenSet?
  /// Rows that do not fill a chunk yet, and room for the chunk's checksum.
  private var pendingFeatures: FloatBuffer
  private var pendingTargets: FloatBuffer
  private var pendingRows = 0

  private final class OpenSet {
    let set: HDF5Dataset
    init(_ set: consuming HDF5Dataset) { self.set = set }
  }

  /// Makes the file, beside its place.
  /// - Throws: `DataError` if it cannot be made.
  public init(path: String, columns: Int, targets: Targets, options: Options = Options()) throws(DataError) {
    precondition(columns > 0, "a shard of \(columns) columns")
    precondition(targets == .none || targets.perRow > 0, "a shard of \(targets.perRow) targets a row")
    precondition((options.chunkRows ?? 1) > 0, "chunks of \(options.chunkRows ?? 1) rows")
    self.path = path
    self.columns = columns
    self.targets = targets
    self.options = options
    chunkRows = options.chunkRows ?? max(1, Self.chunkBytes / 4 / columns)
    partial = FileSystem.partialPath(for: path)
    pendingFeatures = FloatBuffer(count: chunkRows * columns + 1)
    pendingTargets = FloatBuffer(count: chunkRows * targets.perRow)
    do {
      file = try HDF5File.create(partial)
    } catch {
      throw DataError(error.kind == .permission ? .permission : .output, "cannot create '\(path)': \(error.message)")
    }
  }

  deinit {
    guard file != nil else { return }
    abandon()
  }

  /// Adds the rows of `view` of `features` with their targets, `targets.perRow` a row from `offset` on.
  ///
  /// - Throws: `DataError` if writing fails, or if a label is no whole number that fits 32 bits.
  public func append(
    _ features: borrowing FloatBuffer, _ view: MatrixView, targets values: borrowing FloatBuffer, at offset: Int = 0
  ) throws(DataError) {
    precondition(view.columns == columns, "rows of \(view.columns) columns for a shard of \(columns)")
    precondition(file != nil, "rows for a shard that is finished")
    if targets == .labels { for row in 0..<view.rows { try checkLabel(values[offset + row], row: rows + row) } }
    let width = targets.perRow
    var done = 0
    while done < view.rows {
      let count = min(view.rows - done, chunkRows - pendingRows)
      for row in done..<done + count {
        let start = view.offset + row * view.rowStride
        pendingFeatures.copy(from: features, range: start..<start + columns, to: (pendingRows + row - done) * columns)
      }
      let first = offset + done * width
      pendingTargets.copy(from: values, range: first..<first + count * width, to: pendingRows * width)
      try accept(count)
      done += count
    }
  }

  /// Adds the rows `places[part]` of `features`, counted from its row `first`, and of `values`, both row-major and without gaps.
  ///
  /// - Throws: `DataError` if writing fails, or if a label is no whole number that fits 32 bits.
  public func append(
    rows places: [Int32], _ part: Range<Int>, of features: borrowing FloatBuffer, from first: Int = 0,
    targets values: borrowing FloatBuffer
  ) throws(DataError) {
    precondition(file != nil, "rows for a shard that is finished")
    if targets == .labels {
      for place in part { try checkLabel(values[Int(places[place])], row: rows + place - part.lowerBound) }
    }
    var next = part.lowerBound
    while next < part.upperBound {
      let end = min(part.upperBound, next + chunkRows - pendingRows)
      pendingFeatures.gather(rows: places, next..<end, of: features, from: first, columns: columns, to: pendingRows)
      pendingTargets.gather(rows: places, next..<end, of: values, columns: targets.perRow, to: pendingRows)
      try accept(end - next)
      next = end
    }
  }

  /// Takes account of rows that have been put behind those that wait.
  private func accept(_ count: Int) throws(DataError) {
    pendingRows += count
    rows += count
    if pendingRows == chunkRows { try writePending(isLast: false) }
  }

  /// Writes what is left, closes the file, checks that all of it is on the disk and gives it its name.
  ///
  /// - Parameter isSynchronized: false leaves it to the caller to bring the file to the disk, with `FileSystem.synchronize`, before
  ///   anything relies on it: many files wait less together than one after the other.
  public func finish(isSynchronized: Bool = true) throws(DataError) {
    precondition(file != nil, "a shard that is finished already")
    try writePending(isLast: true)
    featureSet = nil
    targetSet = nil
    guard let file = file.take() else { return }
    do throws(HDF5Error) {
      try file.close()
    } catch {
      try? FileSystem.remove(partial)
      throw writing(error)
    }
    do throws(FilesError) {
      if isSynchronized {
        try FileSystem.publish(partial, as: path)
      } else {
        try FileSystem.rename(partial, to: path)
      }
    } catch {
      try? FileSystem.remove(partial)
      throw DataError(writing: error)
    }
  }

  /// Gives the shard up and removes what was written.
  public func abandon() {
    featureSet = nil
    targetSet = nil
    if let file = file.take() { try? file.close() }
    try? FileSystem.remove(partial)
  }

  private func writePending(isLast: Bool) throws(DataError) {
    do throws(HDF5Error) {
      if featureSet == nil { try createSets(isComplete: isLast) }
      guard pendingRows > 0, let featureSet else { return }
      let range = rows - pendingRows..<rows
      if !isLast, options.compression == nil {
        var chunk = pendingFeatures.mutableSpan
        try featureSet.set.writeChunk(&chunk, firstRow: range.lowerBound)
      } else {
        try Self.write(pendingFeatures, pendingRows * columns, to: featureSet.set, rows: range)
      }
      if let targetSet { try writeTargets(targetSet, range) }
      pendingRows = 0
    } catch {
      throw writing(error)
    }
  }

  private static func write(
    _ buffer: borrowing FloatBuffer, _ count: Int, to set: borrowing HDF5Dataset, rows: Range<Int>
  ) throws(HDF5Error) {
    try set.write(buffer.span.extracting(0..<count), rows: rows)
  }

  private func writeTargets(_ target: OpenSet, _ range: Range<Int>) throws(HDF5Error) {
    let count = pendingRows * targets.perRow
    guard targets == .labels else {
      return try Self.write(pendingTargets, count, to: target.set, rows: range)
    }
    var labels: [Int32] = []
    labels.reserveCapacity(count)
    for index in 0..<count { labels.append(Int32(pendingTargets[index])) }
    try target.set.write(labels.span, rows: range)
  }

  /// - Parameter isComplete: all rows are known, and may be fewer than a chunk.
  private func createSets(isComplete: Bool) throws(HDF5Error) {
    let filters = Filters(deflate: options.compression, shuffle: options.compression != nil, fletcher32: true)
    let maximum: MaximumRows = isComplete ? .fixed : .unlimited
    let count = isComplete ? rows : 0
    featureSet = try create(options.features, .float32, [count, columns], [chunkRows, columns], filters, maximum)
    guard targets != .none else { return }
    let width = targets.perRow
    let targetChunk = max(chunkRows, Self.targetChunkBytes / 4 / width)
    let shape = targets == .labels || width == 1 ? [count] : [count, width]
    targetSet = try create(
      options.targets, targets == .labels ? .int32 : .float32, shape, [targetChunk] + shape.dropFirst(), filters,
      maximum)
  }

  private func create(
    _ name: String, _ type: ElementType, _ shape: [Int], _ chunk: [Int], _ filters: Filters, _ maximum: MaximumRows
  ) throws(HDF5Error) -> OpenSet? {
    switch file {
    case .some(let file):
      OpenSet(
        try file.createDataset(
          named: name, type: type, shape: shape, chunk: chunk, filters: filters, maximumRows: maximum))
    case .none: nil
    }
  }

  private func writing(_ error: HDF5Error) -> DataError {
    let kind: DataError.Kind = error.kind == .permission ? .permission : .io
    return DataError(kind, "cannot write '\(path)': \(error.message)")
  }

  /// Throws unless the label is a whole number that int32 holds.
  private func checkLabel(_ label: Float, row: Int) throws(DataError) {
    guard Int32(exactly: label) == nil else { return }
    throw DataError(.invalid, "the label of row \(row) of '\(path)' is \(label), which is no class index")
  }
}
