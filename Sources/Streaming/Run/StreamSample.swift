import Data
import Failures
import Files
import Kernels
import MPI
import Online
import Training

/// The sample of a stream's rows that is kept for later trainings, as far as this rank has it.
///
/// A row is kept or not by its number, its class and the seed: the sample does not depend on which rank saw what, nor when. With every
/// checkpoint rank 0 takes over the rows of the others; the checkpoint holds them as a shard.
struct StreamSample {
  private enum File {
    static let rows = "replay.h5"
    static let record = "replay.json"
  }

  private let seed: UInt64
  private let columns: Int
  private let hasClasses: Bool
  private let empty: Reservoir
  /// The values of a row are its features, and behind them its target.
  private var kept: Reservoir

  /// - Parameter hasClasses: targets are numbers of classes.
  /// - Throws: `Failure` for a sample that makes no sense.
  init(_ request: ReplayRequest, seed: UInt64, columns: Int, hasClasses: Bool) throws {
    self.seed = seed
    self.columns = columns
    self.hasClasses = hasClasses
    empty = try request.reservoir(seed: seed)
    kept = empty
  }

  /// The sample of a stream that begins, or that goes on after `resumed` rows; nil where the job wants none. Collective.
  init?(
    _ job: StreamJob, columns: Int, resuming resumed: Int?, store: CheckpointStore, world: borrowing Communicator
  ) throws {
    guard let request = job.replay else { return nil }
    let folder = resumed.map { store.path(of: $0) }
    let path = FileSystem.join(folder ?? "", File.record)
    let bytes = try Agreement.fromRoot(world) {
      // An earlier start may have kept none.
      guard folder != nil, try FileSystem.status(of: path) != nil else { return [] }
      return try FileSystem.read(path, limit: SampleRecord.mostBytes)
    }
    let record = bytes.isEmpty ? nil : try Agreement.alike { try SampleRecord(parsing: bytes, path: path) }
    self = try Agreement.alike {
      try StreamSample(
        request, seed: record?.seed ?? UInt64(job.source.sample.seed), columns: columns,
        hasClasses: job.learner.classes != nil)
    }
    guard let record, let folder else { return }
    // All of them are rank 0's from now on.
    _ = try Agreement.fromRoot(world) {
      try takeRows(record, from: FileSystem.join(folder, File.rows))
      return []
    }
  }

  private mutating func takeRows(_ record: SampleRecord, from path: String) throws {
    let schema = RowSchema(
      columns: [], target: "", featuresDataset: DataSource.defaultFeatures, targetsDataset: DataSource.defaultTargets,
      classes: nil, time: nil)
    let file = try HDF5Rows(path, schema: schema, follows: false, row: 0)
    guard file.columns == columns, file.rowsLeft == record.numbers.count else {
      throw DataError(
        .invalid,
        "'\(path)' has \(file.rowsLeft) rows of \(file.columns) columns, not \(record.numbers.count) of \(columns)")
    }
    var batch = RowBatch(columns: columns, capacity: 1)
    for number in record.numbers {
      _ = try batch.fill { (values, place, target, time) throws(DataError) in
        try file.next(into: &values, at: place, target: &target, time: &time)
      }
      batch.take(arrived: .now, number: number)
      offer(number, batch.values(ofRow: 0))
      batch.removeAll()
    }
  }

  private mutating func offer(_ number: Int, _ values: [Float]) {
    offer(number, target: values[columns]) { values }
  }

  /// Offers a row; `values` are asked for only where it is kept, for now.
  mutating func offer(_ number: Int, target: Float, _ values: () -> [Float]) {
    kept.offer(number: UInt64(number), stratum: hasClasses ? Int(target) : 0, values)
  }

  /// Rank 0 takes over what the other ranks have kept. Collective.
  mutating func collect(_ world: borrowing Communicator) throws(MPIError) {
    let own = world.rank == 0 ? [] : kept.rows
    let numbers = try world.gather(own.map { Int($0.number) }, root: 0)
    let values = try world.gather(own.flatMap(\.values), root: 0)
    guard let numbers, let values else {
      kept = empty
      return
    }
    for (numbers, values) in zip(numbers, values) {
      for (place, number) in numbers.enumerated() {
        offer(number, Array(values[place * (columns + 1)..<(place + 1) * (columns + 1)]))
      }
    }
  }

  // MARK: Writing, on rank 0

  /// Writes the files of a checkpoint into `folder`, and says what its manifest is to say of them.
  func write(into folder: String) throws -> [CheckpointManifest.Entry] {
    let record = try writeRows(to: FileSystem.join(folder, File.rows))
    try FileSystem.write(record.bytes, to: FileSystem.join(folder, File.record))
    return try [File.rows, File.record].map { try CheckpointManifest.Entry($0, in: folder) }
  }

  /// Puts the sample beside the model in `directory`, as a data set.
  func publish(into directory: String, _ model: ModelDescription) throws {
    try KeptSample.publish(into: directory) { folder in
      let record = try writeRows(to: FileSystem.join(folder, KeptSample.shard))
      guard !model.columns.isEmpty else { return record }
      let (name, classes) = (model.target ?? "", model.classNames)
      let manifest = DatasetManifest(
        name: KeptSample.name, columns: model.columns,
        target: hasClasses ? .classification(name: name, classes: classes) : .regression(name: name, outputs: 1),
        splits: KeptSample.splits(rows: record.numbers.count))
      try manifest.write(toDirectory: folder)
      return record
    }
  }

  private func writeRows(to path: String) throws -> SampleRecord {
    let rows = kept.rows
    let writer = try ShardWriter(
      path: path, columns: columns, targets: hasClasses ? .labels : .values(outputs: 1))
    var values = FloatBuffer(count: columns + 1)
    for row in rows {
      values.copy(from: row.values)
      try writer.append(values, MatrixView(offset: 0, rows: 1, columns: columns), targets: values, at: columns)
    }
    try writer.finish()
    return SampleRecord(seed: seed, seen: RowNumbers.end, numbers: rows.map { Int($0.number) })
  }
}
