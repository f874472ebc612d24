internal import Data
internal import Files

/// Makes a data set of HDF5 shards from CSV files.
///
/// The inputs are read twice: once to check every row and to find what the target is and how many rows there are, once
/// to write. Memory does not grow with the inputs. The data set appears under its name when it is complete, or not at
/// all.
public struct Preparer: Sendable {
  private let request: PreparationRequest

  public init(_ request: PreparationRequest) {
    self.request = request
  }

  /// Prepares the data set.
  ///
  /// - Parameter progress: called after each block of about 1 MiB.
  /// - Throws: `PreparationError`; then there is no data set, or the one that was there before.
  public func run(progress: (PreparationProgress) -> Void = { _ in }) throws(PreparationError) -> PreparationSummary {
    let start = ContinuousClock.now
    try request.check()
    let tables = try InputTables(request)
    let output = try OutputDirectory(request.output, overwrite: request.overwrite)
    var summary: PreparationSummary
    do throws(PreparationError) {
      summary = try prepare(tables, in: output, progress: progress)
    } catch {
      output.abandon()
      throw error
    }
    try output.publish()
    summary.seconds = (ContinuousClock.now - start) / .seconds(1)
    return summary
  }

  private func prepare(
    _ tables: InputTables, in output: borrowing OutputDirectory, progress: (PreparationProgress) -> Void
  ) throws(PreparationError) -> PreparationSummary {
    let scan = try TableScan(tables, task: request.task, progress: progress)
    let split = Split(strata: scan.strata, fractions: request.fractions, seed: request.seed)
    let plans = try ShardPlan.plan(
      split.rows, fractions: request.fractions, asked: request.shards, rowBytes: 4 * (scan.names.count + 1))
    let writer = try DatasetWriter(scan: scan, split: split, plans: plans, request: request, directory: output.partial)
    try tables.read(.writing, progress: progress) { (reader, parser) throws(PreparationError) in
      try writer.append(reader, parser)
    }
    let splits = try writer.finish()
    try write(manifest: scan, splits: plans, moments: writer.moments, to: output.partial)
    return PreparationSummary(
      output: output.path, rows: scan.rows, droppedRows: scan.dropped.reduce(0, +), missing: missing(scan, tables),
      columns: scan.names.count, classes: scan.target.names, decision: scan.decision, splits: splits, seconds: 0,
      bytesRead: tables.totalBytes, bytesWritten: try bytes(of: plans, in: output))
  }

  private func missing(_ scan: TableScan, _ tables: InputTables) -> [PreparationSummary.MissingColumn] {
    zip(scan.names + [tables.target], scan.dropped).compactMap { name, rows in
      rows > 0 ? PreparationSummary.MissingColumn(column: name, rows: rows) : nil
    }
  }

  private func write(
    manifest scan: TableScan, splits: [ShardPlan], moments: ColumnMoments?, to directory: String
  ) throws(PreparationError) {
    let target: DatasetManifest.Target =
      switch scan.target {
      case .values: .regression(name: request.target, outputs: 1)
      case .classes(let names, _): .classification(name: request.target, classes: names)
      }
    do throws(DataError) {
      var transformations: [DatasetManifest.Transformation] = []
      if let moments {
        let normalization = try Normalization(means: moments.means, scales: moments.scales)
        // The shards hold what the table holds; readers normalize. So a model sees raw rows and these rows alike.
        transformations.append(.standardize(normalization, applied: false))
      }
      let manifest = DatasetManifest(
        name: name, columns: scan.names, target: target, transformations: transformations, seed: request.seed,
        splits: splits.map(\.description))
      try manifest.write(toDirectory: directory)
    } catch {
      throw PreparationError(error)
    }
  }

  /// The first input's name without its extension.
  private var name: String {
    let file = FileSystem.name(of: request.inputs[0])
    guard let point = file.lastIndex(of: "."), point != file.startIndex else { return file }
    return String(file[..<point])
  }

  private func bytes(of plans: [ShardPlan], in output: borrowing OutputDirectory) throws(PreparationError) -> Int {
    var bytes = 0
    for plan in plans {
      for index in 0..<plan.shards {
        let path = output.file(plan.name(index))
        let status = try PreparationError.translating { () throws(FilesError) in try FileSystem.status(of: path) }
        bytes += status?.bytes ?? 0
      }
    }
    return bytes
  }
}
