public import Data
import Failures
public import Kernels
public import MPI
public import Model
public import Parallel

/// Judges a model on all rows of a data set, each rank on its part.
///
/// Like a training it works over virtual ranks and adds their sums in one order, so that the metrics are equal bit for bit on any
/// number of ranks that share the same virtual ranks.
public final class Evaluator {
  /// Rows that go through the model in one pass.
  private static let rowsPerPass = 1024

  private let model: Model
  private let task: Task
  private let rows: Int
  private let virtualRanks: VirtualRanks
  private let own: Range<Int>
  private let reader: RowReader
  private let workspace: Workspace

  /// - Parameters:
  ///   - dataset: the rows to judge on; at least one.
  ///   - transform: what the model was trained with.
  public init(
    model: Model, dataset: ShardedDataset, transform: FeatureTransform, virtualRanks: VirtualRanks, rank: Int
  ) throws {
    let (use, task) = ModelDesign.use(of: model)
    self.model = model
    self.task = task
    self.virtualRanks = virtualRanks
    rows = dataset.rows
    own = virtualRanks.run(by: rank)
    let range =
      Self.start(own.lowerBound, rows, virtualRanks.count)..<Self.start(own.upperBound, rows, virtualRanks.count)
    reader = try RowReader(dataset: dataset, rows: range, targetUse: use, transform: transform)
    workspace = Workspace(model, rows: max(1, min(Self.rowsPerPass, range.count)))
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
    // The one part in which a rank can fail by itself.
    try Agreement.everywhere(world) {
      for virtualRank in own {
        let sums = try sums(ofVirtualRank: virtualRank, parameters, &curve)
        encoded += sums.encoded
        for index in confusion.indices { confusion[index] += sums.confusion[index] }
      }
    }
    let numbers = try world.allGather(encoded).flatMap { $0 }
    let width = MetricSums.encodedCount(task: task)
    var total = MetricSums(task: task)
    for virtualRank in 0..<virtualRanks.count {
      total.merge(MetricSums(task: task, encoded: numbers[virtualRank * width..<(virtualRank + 1) * width]))
    }
    // Counts are whole numbers and may be added in any order, so a large confusion matrix travels once and not for each virtual rank.
    if !confusion.isEmpty { total.confusion = try world.allReduce(confusion, .sum) }
    var metrics = Metrics(total)
    if let curve { metrics.setAUC(try curve.area(over: world)) }
    return metrics
  }

  private func sums(
    ofVirtualRank virtualRank: Int, _ parameters: borrowing FloatBuffer, _ curve: inout RankingCurve?
  ) throws -> MetricSums {
    var sums = MetricSums(task: task)
    var row = Self.start(virtualRank, rows, virtualRanks.count)
    let end = Self.start(virtualRank + 1, rows, virtualRanks.count)
    while row < end {
      let block = row..<min(row + Self.rowsPerPass, end)
      try reader.withRows(block) { features, view, targets, offset in
        model.forward(parameters: parameters, features: features, view: view, workspace: workspace)
        let lossSum = model.lossSum(workspace, targets: targets, targetsOffset: offset)
        let scores = workspace.outputs.values(in: 0..<block.count * model.outputs)
        let wanted = targets.values(in: offset..<offset + block.count * model.targetsPerRow)
        sums.add(scores: scores, targets: wanted, rows: block.count, lossSum: lossSum)
        curve?.add(scores: scores, targets: wanted, rows: block.count)
      }
      row = block.upperBound
    }
    return sums
  }
}
