internal import Data
internal import Files
public import MPI

/// Makes a data set of HDF5 shards from CSV files, on all ranks together.
///
/// Every rank reads a part of the text, checks every row and puts the rows aside as numbers. Once it is known what the target
/// is and how many rows there are, each shard is written by one rank. Memory does not grow with the inputs beyond a bound; past it
/// the disk has room for the rows twice while the data set is written. It appears under its name when it is complete, or not at all, and is the same
/// on any number of ranks.
public struct Preparer: Sendable {
  let request: PreparationRequest
  let recipe: Recipe?

  /// - Parameter recipe: what is done to the columns; without one, all but the target are features as they are.
  public init(_ request: PreparationRequest, recipe: Recipe? = nil) {
    self.request = request
    self.recipe = recipe
  }

  /// Prepares the data set in this process alone.
  ///
  /// - Parameter progress: called after each block of text, and while shards are written.
  /// - Throws: `PreparationError`; then there is no data set, or the one that was there before.
  public func run(progress: @escaping (PreparationProgress) -> Void = { _ in }) throws(PreparationError)
    -> PreparationSummary
  {
    do {
      return try run(on: SingleRank(), progress: progress)
    } catch let error as PreparationError {
      throw error
    } catch {
      throw PreparationError(.io, "\(error)")
    }
  }

  /// Prepares the data set on all ranks. Collective.
  ///
  /// - Parameter progress: called with what this rank has done.
  /// - Throws: `PreparationError`, the same on every rank; or `MPIError`.
  public func run(on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void) throws
    -> PreparationSummary
  {
    if let recipe { return try run(recipe, on: ranks, progress: progress) }
    let start = ContinuousClock.now
    try request.check()
    let tables = try InputTables(request, on: ranks)
    let output = try SharedOutput(request.output, request.overwrite ? .replacing : .new, ranks)
    var summary: PreparationSummary
    do {
      summary = try prepare(tables, in: output.partial, ranks, progress: progress)
    } catch {
      output.abandon()
      throw error
    }
    try output.publish(ranks)
    summary.output = output.path
    summary.seconds = (ContinuousClock.now - start) / .seconds(1)
    return summary
  }

  private func prepare(
    _ tables: InputTables, in directory: String, _ ranks: borrowing some Ranks & ~Copyable,
    progress: @escaping (PreparationProgress) -> Void
  ) throws -> PreparationSummary {
    let rank = ranks.rank
    let selections = try selections(of: tables)
    let names = selections[0].names
    let share = TextShare(tables, rank: rank, ranks: ranks.size)
    let scan = try share.readFirst(ranks) { () throws(PreparationError) in
      PlainScan(
        share, selections, request: request,
        store: RowStore(
          directory: directory, rank: rank, columns: names.count, mostBytes: request.memoryBytes), progress: progress)
    }.visitor
    guard let scan else { preconditionFailure("a reading without an error has a visitor") }

    let target = try scan.target.merged(ranks)
    let dropped = try ranks.sums(scan.dropped)
    guard target.rows > 0 else { throw nothingLeft(dropped.reduce(0, +), tables) }
    let decision = try target.decide(request.task) { position in locate(position, tables) }
    let classIndex = decision.target.names.map { ClassIndex(names: $0) }
    let classes = classIndex.map { scan.target.classes(in: $0) } ?? []

    var split = Split(
      strata: decision.target.strata(rows: target.rows), fractions: request.fractions, seed: request.seed)
    let plans = try ShardPlan.plan(
      split.rows, fractions: request.fractions, asked: request.shards, rowBytes: 4 * (names.count + 1))
    split.skip(try rowsBefore(scan.target, classes, strata: decision.target.strata(rows: 0).count, ranks))

    let router = RowRouter(
      store: scan.store, directory: directory, rank: rank, columns: names.count, blocks: share.blocks,
      rowsOfBlock: scan.rowsOfBlock,
      classes: classes, classCount: classIndex?.names.count ?? 0)
    var outcome: RowRouter.Outcome?
    try ranks.together { () throws(PreparationError) in
      outcome = try router.route(&split, standardize: request.standardize)
    }
    guard let outcome else { preconditionFailure("rows that were dealt without an error have an outcome") }
    let width = SplitName.allCases.count
    let counts = try ranks.allGather(outcome.counts.flatMap { $0 }).flatMap { part in
      stride(from: 0, to: part.count, by: width).map { Array(part[$0..<$0 + width]) }
    }
    let index = RowIndex(counts: counts, shares: (0..<ranks.size).map { tables.share(of: $0, among: ranks.size) })
    let moments = try outcome.moments?.total(ranks, columns: names.count)
    let rowsPerClass = try ranks.sums(outcome.rowsPerClass.flatMap { $0 })
    let assembler = ShardAssembler(
      directory: directory, columns: names.count, rank: rank, index: index, store: scan.store,
      classes: classIndex == nil ? nil : classes, jobs: ShardJob.deal(plans, among: ranks.size)[rank],
      options: request.shardOptions)
    try ranks.together { () throws(PreparationError) in try assembler.handOver() }
    var bytesWritten = 0
    try ranks.together { () throws(PreparationError) in bytesWritten = try assembler.write(progress: progress) }

    let classCount = router.classCount
    try ranks.together { () throws(PreparationError) in
      guard rank == 0 else { return }
      try RowSpill.remove(from: directory)
      try write(manifest: names, decision.target, splits: plans, moments: moments, to: directory)
    }
    return PreparationSummary(
      output: "", rows: target.rows, droppedRows: dropped.reduce(0, +),
      missing: zip(names + [request.target], dropped).compactMap { name, rows in
        rows > 0 ? PreparationSummary.MissingColumn(column: name, rows: rows) : nil
      },
      columns: names.count, classes: decision.target.names, decision: decision.reason,
      splits: plans.map { plan in
        PreparationSummary.SplitSummary(
          plan, rowsPerClass: Array(rowsPerClass[plan.split.place * classCount..<(plan.split.place + 1) * classCount]))
      }, seconds: 0, bytesRead: tables.totalBytes, bytesWritten: try ranks.sums([bytesWritten])[0])
  }

  /// The fields of each file that make the row, in the order of the first file.
  private func selections(of tables: InputTables) throws(PreparationError) -> [ColumnSelection] {
    let first = tables.tables[0]
    var selections = [try ColumnSelection(header: first.header, path: first.path, target: request.target)]
    for table in tables.tables.dropFirst() {
      try tables.checkColumns(of: table)
      selections.append(
        try ColumnSelection(
          header: table.header, path: table.path, names: selections[0].names, target: request.target))
    }
    return selections
  }

  /// How many rows of each stratum stand before those of this rank. Collective.
  private func rowsBefore(
    _ target: TargetScan, _ classes: [Int32], strata: Int, _ ranks: borrowing some Ranks & ~Copyable
  ) throws -> [Int] {
    var own = [Int](repeating: 0, count: strata)
    if classes.isEmpty {
      own[0] = target.rows
    } else {
      for (code, label) in classes.enumerated() { own[Int(label)] += target.rowsOfCode[code] }
    }
    var before = [Int](repeating: 0, count: strata)
    for part in try ranks.allGather(own)[..<ranks.rank] { for index in before.indices { before[index] += part[index] } }
    return before
  }

  func nothingLeft(_ dropped: Int, _ tables: InputTables) -> PreparationError {
    let place = PreparationError.Place(path: tables.paths[0], line: 1, column: 1)
    return PreparationError(
      .invalid, at: place,
      dropped == 0 ? "there is no row below the header" : "every one of the \(dropped) rows lacks a value")
  }

  func locate(_ position: TargetScan.Position, _ tables: InputTables) -> PreparationError.Place? {
    let path = tables.paths[position.file]
    do throws(PreparationError) {
      return try PreparationError.Place(ofByte: position.byte, in: try CSVSource.open(path), path: path)
    } catch {
      return nil
    }
  }

  private func write(
    manifest names: [String], _ plan: TargetPlan, splits: [ShardPlan], moments: ColumnMoments?, to directory: String
  ) throws(PreparationError) {
    let target: DatasetManifest.Target =
      switch plan {
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
        name: InputTables.name(of: request.inputs[0]), columns: names, target: target, transformations: transformations,
        seed: request.seed,
        splits: splits.map(\.description))
      try manifest.write(toDirectory: directory)
    } catch {
      throw PreparationError(error)
    }
  }
}
