internal import Data
internal import Failures
internal import Files
internal import JSON
internal import Kernels
internal import MPI

/// Makes a data set of HDF5 shards from a table of any kind, on all ranks, as a recipe says.
///
/// The rows are read several times: to clean and count them, to fit what the recipe asks for on the training rows, and to write
/// them. Nothing of them is kept in between but counts for each block, so that memory does not grow with the rows (but for
/// repeated rows and a split by time, which take some bytes a row). Whatever is done is the same on any number of ranks.
final class TablePreparer<Source: TableSource> {
  /// What is written about the rows.
  struct Result {
    var manifest: DatasetManifest
    var summary: PreparationSummary
  }

  private let source: Source
  private let pipeline: Pipeline
  private let request: PreparationRequest
  private let cleaner: BlockCleaner<Source>
  private let progress: (PreparationProgress) -> Void
  private let totalBytes: Int
  private var dealer = RowDealer(.inOrder, fractions: SplitFractions(), seed: 0, before: [[0]])
  /// Rows of the blocks before each block with the key of each border of a split by time.
  private var ties: [[Int]] = []
  private var classes: ClassIndex?
  /// Rows that the sample leaves out, on all ranks.
  private var sampledOut = 0
  /// The data set that the rows are added to, and its preparation for them; nil for a new one.
  private let earlier: (dataset: EarlierDataset, fitted: FittedPipeline)?

  convenience init(
    _ source: Source, _ pipeline: Pipeline, _ request: PreparationRequest,
    progress: @escaping (PreparationProgress) -> Void
  ) {
    self.init(source, pipeline, request, nil, progress: progress)
  }

  /// - Parameter fitted: the preparation of `earlier` for the table.
  convenience init(
    _ source: Source, _ fitted: FittedPipeline, addingTo earlier: EarlierDataset, _ request: PreparationRequest,
    progress: @escaping (PreparationProgress) -> Void
  ) {
    self.init(source, fitted.pipeline, request, (earlier, fitted), progress: progress)
  }

  private init(
    _ source: Source, _ pipeline: Pipeline, _ request: PreparationRequest,
    _ earlier: (dataset: EarlierDataset, fitted: FittedPipeline)?, progress: @escaping (PreparationProgress) -> Void
  ) {
    self.earlier = earlier
    self.source = source
    self.pipeline = pipeline
    self.request = request
    self.progress = progress
    cleaner = BlockCleaner(source, pipeline)
    totalBytes = (0..<source.blocks).reduce(0) { $0 + source.bytes(of: $1) }
  }

  /// What is known of the rows when all but their writing has been done.
  private struct Survey {
    var reason: String
    var fitted: FittedPipeline
    var plans: [ShardPlan]
    /// The rows of each split in each block.
    var counts: BlockCounts
    var rowsPerClass: [[Int]]
    /// All rows of the table, and what was done to them.
    var changes: (rows: Int, list: [PreparationSummary.Change])
  }

  /// Says what would be written. Collective.
  /// - Throws: a failure that all ranks share.
  func plan(_ ranks: borrowing some Ranks & ~Copyable) throws -> PreparationPlan.Output {
    let survey = try survey(source.share(of: ranks.rank, among: ranks.size), ranks)
    let rows = survey.plans.reduce(0) { $0 + $1.rows }
    return PreparationPlan.Output(
      decision: survey.reason, rows: rows, droppedRows: survey.changes.rows - rows,
      features: survey.fitted.featureNames.count, classes: classes?.names,
      splits: survey.plans.map { PreparationPlan.Split(name: $0.split, rows: $0.rows, shards: $0.shards) },
      changes: survey.changes.list)
  }

  private func survey(_ mine: Range<Int>, _ ranks: borrowing some Ranks & ~Copyable) throws -> Survey {
    try findRepeated(mine, ranks)
    try drawSample(mine, ranks)
    let decision = try plan(mine, ranks)
    // The later passes count the same again.
    let tally = try ranks.sums(cleaner.tally.numbers)
    let malformed = try ranks.sums(source.malformed(in: mine))
    let repeated = cleaner.duplicates.values.reduce(0) { $0 + $1.count }
    let (fitted, counts, rowsPerClass) = try fit(mine, decision.target, ranks)
    let rows = SplitName.allCases.map { counts.total[$0.place] }
    guard rows[SplitName.train.place] > 0 || earlier != nil else {
      throw Failure(.invalidData, "no row is left to train on", isShared: true)
    }
    let plans = try Agreement.alike {
      try ShardPlan.plan(
        Dictionary(uniqueKeysWithValues: SplitName.allCases.map { ($0, rows[$0.place]) }),
        fractions: usedFractions(rows),
        asked: request.shards, rowBytes: 4 * (fitted.featureNames.count + 1), addedTo: earlier?.dataset)
    }
    return Survey(
      reason: decision.reason, fitted: fitted, plans: plans, counts: counts, rowsPerClass: rowsPerClass,
      changes: changes(tally, malformed, repeated: repeated))
  }

  /// Writes the shards into `directory`; says what `dataset.json` is to say. Collective.
  ///
  /// - Throws: a failure that all ranks share.
  func write(into directory: String, _ ranks: borrowing some Ranks & ~Copyable) throws -> Result {
    let mine = source.share(of: ranks.rank, among: ranks.size)
    let survey = try survey(mine, ranks)
    let (fitted, plans, counts) = (survey.fitted, survey.plans, survey.counts)
    let store = RowStore(
      directory: directory, rank: ranks.rank, columns: fitted.featureNames.count, mostBytes: request.memoryBytes)
    try Agreement.everywhere(ranks) { try putAside(mine, fitted, store, directory, rank: ranks.rank) }
    let shares = (0..<ranks.size).map { source.share(of: $0, among: ranks.size) }
    let index = RowIndex(counts: (0..<source.blocks).map { counts[$0] }, shares: shares)
    let assembler = ShardAssembler(
      directory: directory, columns: fitted.featureNames.count, rank: ranks.rank, index: index, store: store,
      classes: classes.map { classes in classes.names.indices.map { Int32($0) } },
      jobs: ShardJob.deal(plans, among: ranks.size)[ranks.rank], options: request.shardOptions)
    try Agreement.everywhere(ranks) { try assembler.handOver() }
    var bytesWritten = 0
    try Agreement.everywhere(ranks) { bytesWritten = try assembler.write(progress: progress) }
    let isRoot = ranks.rank == 0
    try Agreement.everywhere(ranks) { if isRoot { try RowSpill.remove(from: directory) } }
    return Result(
      manifest: manifest(fitted, plans),
      summary: summary(survey, bytesWritten: try ranks.sums([bytesWritten])[0]))
  }

  // MARK: Passes over the rows

  /// Calls `body` with the cleaned rows of blocks, and says how far it is.
  private func forEach(
    _ blocks: some Sequence<Int>, _ phase: PreparationProgress.Phase,
    _ body: (Int, CleanBlock) throws -> Void
  ) throws {
    var (bytes, rows) = (0, 0)
    for block in blocks {
      let clean = try cleaner.clean(block)
      try body(block, clean)
      bytes += source.bytes(of: block)
      rows += clean.rows
      progress(PreparationProgress(phase: phase, bytes: bytes, totalBytes: totalBytes, rows: rows))
    }
  }

  private func findRepeated(_ mine: Range<Int>, _ ranks: borrowing some Ranks & ~Copyable) throws {
    guard pipeline.recipe.duplicates == .drop else { return }
    var repeated = RepeatedRows()
    try Agreement.everywhere(ranks) {
      try forEach(mine, .checking) { block, clean in repeated.observe(clean, block: block) }
    }
    cleaner.duplicates = try repeated.found(ranks)
    cleaner.tally = CleaningTally(pipeline)
  }

  /// Chooses the rows that the sample leaves in the table. Collective.
  private func drawSample(_ mine: Range<Int>, _ ranks: borrowing some Ranks & ~Copyable) throws {
    guard let settings = pipeline.recipe.sample ?? request.sample else { return }
    var sample = try Agreement.alike { try TableSample(settings, pipeline, seed: request.seed) }
    try Agreement.everywhere(ranks) {
      try forEach(mine, .checking) { block, clean in try sample.observe(clean, block: block) }
    }
    let drawn = try sample.drawn(ranks)
    let counts = try ranks.sums([sample.rows, drawn.values.reduce(0) { $0 + $1.count }])
    sampledOut = counts[0] - counts[1]
    cleaner.sampled = drawn
    cleaner.tally = CleaningTally(pipeline)
  }

  /// Finds what the target is and how the rows are split. Collective.
  private func plan(
    _ mine: Range<Int>, _ ranks: borrowing some Ranks & ~Copyable
  ) throws -> TargetCounts.Decision {
    var method = RowDealer.Method.stratified
    try Agreement.alike { method = try self.method() }
    var counts: [TargetCounts] = []
    var times = KeyBorders()
    try Agreement.everywhere(ranks) {
      try forEach(mine, .checking) { _, clean in
        var count = TargetCounts()
        if let target = clean.target { count.observe(target, clean.keptRows) }
        counts.append(count)
        if case .time(let column) = method {
          times.observe(clean.keptRows.map { RowDealer.timeKey(clean.block.columns[column], $0) })
        }
      }
    }
    var own = TargetCounts()
    for count in counts { own.merge(count) }
    var all = TargetCounts()
    for part in try ranks.allGather(own.encoded()) { all.merge(try TargetCounts(decoding: part)) }
    let decision = try Agreement.alike { try decide(all) }
    if case .classes(let names) = decision.target { classes = ClassIndex(names: names) }
    let isByClass = method == .stratified && classes != nil
    let width = isByClass ? classes?.names.count ?? 1 : 1
    let column = pipeline.targetColumn.map { pipeline.schema.columns[$0] }
    let strata = counts.map { isByClass ? $0.rows(of: classes, column) : [$0.rows] }
    let before = try BlockCounts(strata, width: width, ranks)
    let fractions = self.fractions
    dealer = RowDealer(
      method, fractions: fractions, seed: pipeline.recipe.split.seed ?? request.seed, before: before.before)
    if case .time = method {
      let ends = dealer.ends
      if let keys = earlier?.fitted.timeBorders {
        // A row as late as the first one behind a border is behind it.
        dealer.borders = keys.map { KeyBorders.Border(key: RowDealer.timeKey($0), ties: 0) }
      } else {
        dealer.borders = [
          try times.border(after: ends.train, ranks), try times.border(after: ends.validation, ranks),
        ]
      }
      let own = zip(times.ties(dealer.borders[0].key), times.ties(dealer.borders[1].key)).map { [$0, $1] }
      ties = try BlockCounts(own, width: 2, ranks).before
    }
    return decision
  }

  /// Fits the pipeline on the training rows, and counts the rows of each split in each block. Collective.
  private func fit(
    _ mine: Range<Int>, _ target: TargetEncoding, _ ranks: borrowing some Ranks & ~Copyable
  ) throws -> (fitted: FittedPipeline, counts: BlockCounts, rowsPerClass: [[Int]]) {
    var fitter = earlier == nil ? PipelineFitter(pipeline) : nil
    let width = SplitName.allCases.count
    var own: [[Int]] = []
    var perClass = [[Int]](repeating: [Int](repeating: 0, count: classes?.names.count ?? 0), count: width)
    repeat {
      var pass = fitter?.makePass()
      let isFirst = own.isEmpty
      let seen = try Agreement.gathering(ranks) {
        try forEach(mine, .checking) { block, clean in
          let labels = try self.labels(clean)
          let splits = deal(clean, block, labels)
          if isFirst {
            var counts = [Int](repeating: 0, count: width)
            for (place, row) in clean.keptRows.enumerated() {
              guard let split = splits[row] else { continue }
              counts[split.place] += 1
              if classes != nil { perClass[split.place][labels[place]] += 1 }
            }
            own.append(counts)
          }
          try pass?.observe(clean, training: splits.map { $0 == .train })
        }
        return pass?.encoded() ?? []
      }
      guard var total = fitter?.makePass() else { break }
      for part in seen { try total.merge(encoded: part) }
      try Agreement.alike { try fitter?.finish(total) }
    } while fitter?.isFinished == false
    let fitted = try Agreement.alike { try self.fitted(fitter, target) }
    let counts = try BlockCounts(own, width: width, ranks)
    let names = classes?.names.count ?? 0
    let sums = try ranks.sums(perClass.flatMap { $0 })
    return (fitted, counts, (0..<width).map { Array(sums[$0 * names..<($0 + 1) * names]) })
  }

  private func fitted(_ fitter: PipelineFitter?, _ target: TargetEncoding) throws(PreparationError) -> FittedPipeline {
    guard let fitter else {
      guard let earlier else { preconditionFailure("a preparation that nobody fits") }
      return earlier.fitted
    }
    var fitted = try fitter.fitted(target: target, dialect: request.writtenDialect)
    fitted.timeBorders = dealer.times(pipeline.schema)
    return fitted
  }

  /// Writes the prepared rows of blocks and their splits beside the shards.
  private func putAside(
    _ mine: Range<Int>, _ fitted: FittedPipeline, _ store: RowStore, _ directory: String, rank: Int
  ) throws {
    let columns = fitted.featureNames.count
    let routes = try File.create(FileSystem.join(directory, RowSpill.routesName(rank: rank)))
    var features = FloatBuffer(count: 0)
    var targets = FloatBuffer(count: 0)
    try forEach(mine, .checking) { block, clean in
      let splits = deal(clean, block, try labels(clean))
      let prepared = try fitted.features(of: clean)
      let rows = prepared.rows.count
      features.reserve(rows * columns)
      targets.reserve(rows * RowStore.targetWidth)
      features.copy(from: prepared.features, at: 0)
      for row in 0..<rows {
        // The value, and as its code the class, which is the value too.
        targets[RowStore.targetWidth * row] = prepared.targets[row]
        targets[RowStore.targetWidth * row + 1] = prepared.targets[row]
      }
      try store.append(rows, features: features, targets: targets)
      try routes.write(prepared.rows.map { UInt8(splits[$0]?.place ?? 0) })
    }
  }

  // MARK: Rows

  private func deal(_ clean: CleanBlock, _ block: Int, _ labels: [Int]) -> [SplitName?] {
    dealer.deal(
      clean, block: block, labels: labels, given: source.split(of: block) ?? earlier?.dataset.lastSplit,
      tiesBefore: ties.isEmpty ? [] : ties[block])
  }

  /// The class of each row that stays; zeros for a regression.
  private func labels(_ clean: CleanBlock) throws(PreparationError) -> [Int] {
    let kept = clean.keptRows
    guard let classes, let index = pipeline.targetColumn, let target = clean.target else {
      return [Int](repeating: 0, count: kept.count)
    }
    var labels: [Int] = []
    labels.reserveCapacity(kept.count)
    for row in kept {
      guard let label = pipeline.columns[index].label(target, row, classes) else {
        throw clean.error(
          row: row, column: index, "column \(quoted(pipeline.columns[index].name)): the value is none of the classes")
      }
      labels.append(Int(label))
    }
    return labels
  }

  // MARK: Decisions

  private var fractions: SplitFractions {
    SplitFractions(
      validation: pipeline.recipe.split.validation ?? request.fractions.validation,
      test: pipeline.recipe.split.test ?? request.fractions.test)
  }

  /// The splits that get shards: those that have rows, where the table came in splits or is added to a data set.
  private func usedFractions(_ rows: [Int]) -> SplitFractions {
    guard earlier != nil || source.blocks > 0 && source.split(of: 0) != nil else { return fractions }
    func share(_ split: SplitName) -> Double { rows[split.place] > 0 ? 0.25 : 0 }
    return SplitFractions(validation: share(.validation), test: share(.test))
  }

  private func method() throws(PreparationError) -> RowDealer.Method {
    try fractions.check()
    let split = pipeline.recipe.split
    if split.inOrder { return .inOrder }
    if let name = split.group {
      let column = try place(name, "split.group")
      return .group(column: column, dictionary: pipeline.schema.columns[column].dictionary)
    }
    guard let name = split.time else { return .stratified }
    let column = try place(name, "split.time")
    guard pipeline.schema.columns[column].type != .text else {
      throw PreparationError(.usage, "'split.time': column \(quoted(name)) is text, which has no order in time")
    }
    if let earlier, earlier.fitted.timeBorders == nil {
      throw PreparationError(
        .usage, "'\(earlier.dataset.path)' is split by time and does not say where: rows cannot be added to it",
        hint: "prepare all tables together; data sets keep the borders of columns of numbers and dates")
    }
    return .time(column: column)
  }

  private func place(_ name: String, _ key: String) throws(PreparationError) -> Int {
    guard let place = pipeline.schema.index(of: name) else {
      throw PreparationError(.usage, "'\(key)': there is no column \(quoted(name)) in the table")
    }
    return place
  }

  private func decide(_ counts: TargetCounts) throws(PreparationError) -> TargetCounts.Decision {
    guard counts.rows > 0 else { throw PreparationError(.invalid, "no row is left of the table") }
    if let earlier {
      return TargetCounts.Decision(
        earlier.fitted.target, "added to '\(earlier.dataset.path)', prepared as its rows were")
    }
    guard let name = pipeline.target, let place = pipeline.schema.index(of: name) else {
      throw PreparationError(.usage, "there is no target")
    }
    let task = pipeline.recipe.task == .automatic ? request.task : pipeline.recipe.task
    return try counts.decide(task, pipeline.schema.columns[place], known: source.classNames)
  }

  // MARK: What is said

  /// How many rows there were, and what was done to them.
  private func changes(_ tally: [Int], _ malformed: [Int], repeated: Int) -> (
    rows: Int, list: [PreparationSummary.Change]
  ) {
    var all = CleaningTally(pipeline)
    all.add(tally)
    var list = zip(malformed, pipeline.schema.names).filter { $0.0 > 0 }.map { count, name in
      PreparationSummary.Change(count: count, what: "values of \(quoted(name)) malformed and taken for missing")
    }
    list += pipeline.summary(all).map { PreparationSummary.Change(count: $0.count, what: $0.what) }
    if pipeline.recipe.duplicates == .drop, earlier != nil {
      list.append(
        PreparationSummary.Change(count: all.rows, what: "rows compared with each other, not with those there before"))
    }
    if repeated > 0 {
      list.append(PreparationSummary.Change(count: repeated, what: "rows left out because they repeat another"))
    }
    if sampledOut > 0 {
      list.append(PreparationSummary.Change(count: sampledOut, what: "rows left out by the sample"))
    }
    return (all.rows, list)
  }

  private func manifest(_ fitted: FittedPipeline, _ plans: [ShardPlan]) -> DatasetManifest {
    if let earlier { return earlier.dataset.manifest(adding: plans) }
    let name = pipeline.target ?? ""
    let target: DatasetManifest.Target =
      if let classes { .classification(name: name, classes: classes.names) } else {
        .regression(name: name, outputs: 1)
      }
    return DatasetManifest(
      name: source.name, columns: fitted.featureNames, target: target, preparation: fitted.json, seed: dealer.seed,
      splits: plans.map(\.description))
  }

  private func summary(_ survey: Survey, bytesWritten: Int) -> PreparationSummary {
    let rows = survey.plans.reduce(0) { $0 + $1.rows }
    return PreparationSummary(
      output: request.output, rows: rows, droppedRows: survey.changes.rows - rows, missing: [],
      changes: survey.changes.list, columns: survey.fitted.featureNames.count,
      classes: classes?.names, decision: survey.reason,
      splits: survey.plans.map { plan in
        PreparationSummary.SplitSummary(plan, rowsPerClass: survey.rowsPerClass[plan.split.place])
      }, seconds: 0, bytesRead: totalBytes, bytesWritten: bytesWritten)
  }
}
