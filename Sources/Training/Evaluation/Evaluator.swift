public import Data
import Failures
public import Kernels
public import MPI
public import Model
public import Parallel
import Watch

/// Judges a model on all rows of a data set, each rank, or all that hold a copy of the model together, on a part.
///
/// Like a training it works over virtual ranks and adds their sums in one order, so that the metrics are equal bit for bit on any
/// number of ranks that share the same virtual ranks.
public final class Evaluator<RowScorer: Scorer> {
  /// Rows that go through the model in one pass.
  private static var rowsPerPass: Int { 1024 }

  private let model: Model
  private let task: Task
  private let rows: Int
  private let virtualRanks: VirtualRanks
  private let own: Range<Int>
  private let reader: RowReader
  private let scorer: RowScorer

  /// - Parameters:
  ///   - dataset: the rows to judge on; at least one.
  ///   - transform: what the model was trained with.
  ///   - virtualRanks: those of the copies of the model.
  ///   - makeScorer: given the most rows that it will have to score at a time.
  public init(
    model: Model, dataset: ShardedDataset, transform: FeatureTransform, virtualRanks: VirtualRanks, place: GridPlace,
    nonFinite: NonFinite = .fail, makeScorer: (_ rows: Int) throws -> RowScorer
  ) throws {
    let (use, task) = ModelDesign.use(of: model)
    self.model = model
    self.task = task
    self.virtualRanks = virtualRanks
    rows = dataset.rows
    own = virtualRanks.run(by: place.data.index)
    let range =
      Self.start(own.lowerBound, rows, virtualRanks.count)..<Self.start(own.upperBound, rows, virtualRanks.count)
    reader = try RowReader(
      dataset: dataset, rows: range, targetUse: use, transform: transform,
      parts: place.reads(leavingRowsOut: nonFinite == .skipRow), nonFinite: nonFinite)
    scorer = try makeScorer(Self.mostRows(of: rows, virtualRanks))
  }

  /// The most rows that a copy of the model scores at a time, of `rows` in all.
  public static func mostRows(of rows: Int, _ virtualRanks: VirtualRanks) -> Int {
    min(rowsPerPass, (rows - 1) / virtualRanks.count + 1)
  }

  private static func start(_ virtualRank: Int, _ rows: Int, _ count: Int) -> Int {
    rows / count * virtualRank + rows % count * virtualRank / count
  }

  /// The metrics over all rows. Collective; the same on every rank.
  /// - Parameter ranking: also the area under the ROC curve, where there are two classes.
  /// - Throws: `Failure`, the same on every rank, where some rank finds a row that cannot be read.
  public func evaluate(
    _ parameters: borrowing FloatBuffer, world: borrowing Communicator, ranking: Bool = false
  ) throws -> Metrics {
    var curve = ranking && task == .classification(classes: 2) ? RankingCurve(rows: rows) : nil
    var encoded: [Double] = []
    var confusion = MetricSums(task: task).confusion
    var failure: DataError?
    for virtualRank in own {
      let sums = try sums(ofVirtualRank: virtualRank, parameters, &curve, &failure)
      encoded += sums.encoded
      for index in confusion.indices { confusion[index] += sums.confusion[index] }
    }
    try Agreement.everywhere(world) { if let failure { throw failure } }
    // Of the ranks that hold a copy of the model one has the targets, and so the sums.
    let numbers = try world.allGather(scorer.reads.contains(.targets) ? [Double(own.lowerBound)] + encoded : [])
    let width = MetricSums.encodedCount(task: task)
    var total = MetricSums(task: task)
    for part in numbers.filter({ !$0.isEmpty }).sorted(by: { $0[0] < $1[0] }) {
      for start in stride(from: 1, to: part.count, by: width) {
        total.merge(MetricSums(task: task, encoded: part[start..<start + width]))
      }
    }
    // Counts are whole numbers and may be added in any order, so a large confusion matrix travels once and not for each virtual rank.
    if !confusion.isEmpty { total.confusion = try world.allReduce(confusion, .sum) }
    try Agreement.alike {
      guard total.rows > 0 else {
        throw Failure(.invalidData, "no row to judge the model on holds finite numbers alone")
      }
    }
    var metrics = Metrics(total)
    if let curve { metrics.setAUC(try curve.area(over: world)) }
    return metrics
  }

  /// - Parameter failure: why this rank cannot read its rows; it goes on without them where others wait for what it sends them.
  private func sums(
    ofVirtualRank virtualRank: Int, _ parameters: borrowing FloatBuffer, _ curve: inout RankingCurve?,
    _ failure: inout DataError?
  ) throws -> MetricSums {
    var sums = MetricSums(task: task)
    var row = Self.start(virtualRank, rows, virtualRanks.count)
    let end = Self.start(virtualRank + 1, rows, virtualRanks.count)
    while row < end {
      let block = row..<min(row + Self.rowsPerPass, end)
      row = block.upperBound
      Pulse.enter(.evaluation)
      if failure == nil {
        do {
          failure = try add(block, to: &sums, parameters, &curve)
          continue
        } catch let error as DataError {
          failure = error
        }
      }
      guard scorer.place.shape.modelRanks > 1 else { break }
      let view = MatrixView(rows: block.count, columns: model.inputs)
      _ = try scorer.score(parameters: parameters, features: FloatBuffer(count: view.count), view)
    }
    return sums
  }

  /// Adds the sums of a block. Throws where this rank cannot read it, before the ranks of a model have scored it together; returns what is
  /// wrong with it where that shows afterwards.
  private func add(
    _ block: Range<Int>, to sums: inout MetricSums, _ parameters: borrowing FloatBuffer, _ curve: inout RankingCurve?
  ) throws -> DataError? {
    try reader.withRows(block) { features, view, targets, offset in
      // Rows may have been left out; a stage that does not read them learns from the one before how many are left.
      let scored = try scorer.score(parameters: parameters, features: features, view)
      guard scorer.reads.contains(.targets) else { return nil }
      guard scored == view.rows else {
        return DataError(
          .invalid,
          "of rows \(block.lowerBound) to \(block.upperBound - 1), one rank finds \(view.rows) finite and another \(scored)",
          hint: "the files must be the same on all hosts, and stay as they are")
      }
      guard scored > 0 else { return nil }
      let lossSum = model.lossSum(scorer.scores, targets: targets, targetsOffset: offset)
      let scores = scorer.scores.outputs.values(in: 0..<view.rows * model.outputs)
      let wanted = targets.values(in: offset..<offset + view.rows * model.targetsPerRow)
      sums.add(scores: scores, targets: wanted, rows: view.rows, lossSum: lossSum)
      curve?.add(scores: scores, targets: wanted, rows: view.rows)
      return nil
    }
  }
}
