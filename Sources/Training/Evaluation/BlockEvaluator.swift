import Failures
public import Kernels
public import MPI
public import Model

/// Judges a model on rows that come in groups of blocks, dealt to the ranks in turn, where how many there are is not known before.
///
/// The sums of the blocks of a group are added in their order, and so are those of the groups: the metrics are equal bit for bit on any
/// number of ranks that get groups of the same rows.
public final class BlockEvaluator {
  private let model: Model
  private let task: Task
  private let workspace: Workspace
  private var total: MetricSums
  /// Of this rank's group.
  private var group: MetricSums
  /// Counts may be added in any order, so that each rank keeps those of its own blocks until the end.
  private var confusion: [Int]
  private var curve: RankingCurve?

  /// - Parameters:
  ///   - blockRows: the most rows of a block.
  ///   - mostRows: what all blocks together will not have more of.
  /// - Throws: `Failure` (65) for a model that wants more than one number as the target of a row.
  public init(_ model: Model, blockRows: Int, mostRows: Int) throws {
    guard model.targetsPerRow == 1 else {
      throw Failure(
        .invalidData, "the model wants \(model.targetsPerRow) numbers as the target of a row, and a table has one")
    }
    self.model = model
    (_, task) = ModelDesign.use(of: model)
    workspace = Workspace(model, rows: blockRows)
    total = MetricSums(task: task)
    group = total
    confusion = total.confusion
    curve = task == .classification(classes: 2) ? RankingCurve(rows: mostRows) : nil
  }

  /// Adds a block to this rank's group.
  ///
  /// Shapes: `features` rows × inputs from the start on, `targets` one float a row.
  public func add(
    _ parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, targets: borrowing FloatBuffer, rows: Int
  ) {
    var sums = MetricSums(task: task)
    let view = MatrixView(rows: rows, columns: model.inputs)
    model.forward(parameters: parameters, features: features, view: view, workspace: workspace)
    let lossSum = model.lossSum(workspace, targets: targets, targetsOffset: 0)
    let scores = workspace.outputs.values(in: 0..<rows * model.outputs)
    let wanted = targets.values(in: 0..<rows)
    sums.add(scores: scores, targets: wanted, rows: rows, lossSum: lossSum)
    curve?.add(scores: scores, targets: wanted, rows: rows)
    group.merge(sums)
  }

  /// Adds the groups of all ranks, in the order of the ranks; each rank begins a new one. Collective.
  public func combine(_ world: borrowing Communicator) throws {
    for encoded in try world.allGather(group.encoded) { total.merge(MetricSums(task: task, encoded: encoded[...])) }
    for index in confusion.indices { confusion[index] += group.confusion[index] }
    group = MetricSums(task: task)
  }

  /// The metrics over all blocks. Collective; the same on every rank.
  /// - Throws: `Failure` (65) where there was no row.
  public func metrics(of path: String, world: borrowing Communicator) throws -> Metrics {
    try Agreement.alike {
      guard total.rows > 0 else { throw Failure(.invalidData, "'\(path)' has no rows to judge the model on") }
    }
    if !confusion.isEmpty { total.confusion = try world.allReduce(confusion, .sum) }
    var metrics = Metrics(total)
    if let curve { metrics.setAUC(try curve.area(over: world)) }
    return metrics
  }
}
