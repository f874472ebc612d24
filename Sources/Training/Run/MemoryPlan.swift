import Data
import Model
import Optimization
import Parallel

/// The bytes that a rank will hold in a training; those of the rank that holds most.
public struct MemoryPlan: Sendable {
  public let parameters: Int
  public let gradients: Int
  public let moments: Int
  public let activations: Int
  /// Windows of rows and the batch.
  public let data: Int

  public var total: Int { parameters + gradients + moments + activations + data }

  init(
    model: Model, optimizer: OptimizerKind, order: SampleOrder, batchRows: Int, columns: Int, ranks: Int,
    mode: GradientReduction, keepsBest: Bool
  ) {
    let virtualRanks = VirtualRanks(count: order.virtualRanks, ranks: ranks)
    let bytes = 4 * model.layout.count
    parameters = bytes * (keepsBest ? 2 : 1)
    let held = (0..<ranks).map { virtualRanks.run(by: $0) }
    let slots = held.map { GradientSlots.most(virtualRanks: virtualRanks, run: $0, mode: mode) }.max() ?? 1
    gradients = bytes * slots
    moments = bytes * Optimizer.stateNames(optimizer).count
    let share = order.largestShare(batch: batchRows)
    let together = mode == .fast ? held.map(\.count).max() ?? 1 : 1
    let rows = min(share * together, DataParallel.rowsPerPass)
    activations = 4 * Workspace.floats(model.stage, rows: rows)
    let rowBytes = 4 * (columns + model.targetsPerRow)
    let windows = held.map { $0.reduce(0) { $0 + order.largestWindow(ofVirtualRank: $1) } }.max() ?? 0
    data = (windows + rows) * rowBytes
  }
}
