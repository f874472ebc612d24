import Data
import Model
import Parallel
import Planning
import Training

/// A small training, and a machine with simple numbers.
enum PlanningProblem {
  /// A model of four layers of 100, and 64 rows a step.
  static func training(
    hidden: [Int] = [100, 100, 100], batch: Int = 64, parallel: String = "virtual_ranks: 8"
  ) throws -> PlannedTraining {
    let text = """
      { data: { path: "x" }, model: { kind: "mlp", hidden: \(hidden) }, loss: "squared",
        train: { batch_size: \(batch) }, parallel: { \(parallel) } }
      """
    let job = try TrainingJob(parsing: Array(text.utf8), source: "job")
    let model = try Model(kind: .mlp, sizes: [100] + hidden + [100], loss: .squared)
    return PlannedTraining(job, model: model, rows: 1024) { virtualRanks in
      SampleOrder(
        segments: [SampleOrder.Segment(rows: 1024, blockRows: 64)], columns: 100, virtualRanks: virtualRanks, seed: 1,
        shuffle: true)
    }
  }

  /// A forward pass takes 1 us a row and layer of 100 x 100, a backward pass 2 us; the rest costs nothing unless told otherwise.
  static func profile(
    exchange: CostCurve = CostCurve(latency: 0, rate: 1e18), update: CostCurve = CostCurve(latency: 0, rate: 1e18)
  ) -> MachineProfile {
    let free = CostCurve(latency: 0, rate: 1e18)
    let roles: [(LayerShape.Role, Double)] = [(.first, 1), (.inner, 2), (.last, 2)]
    let layers = roles.map { role, backward in
      (
        LayerShape(inputs: 100, outputs: 100, role: role),
        MachineProfile.LayerCost(
          forward: CostCurve(latency: 0, rate: 1e6), backward: CostCurve(latency: 0, rate: 1e6 / backward))
      )
    }
    return MachineProfile(
      host: "paper", ranks: 1, memory: 1 << 30, layers: Dictionary(uniqueKeysWithValues: layers), update: update,
      addition: free, check: free, gathering: free, loading: free, exchange: exchange)
  }

  static func cluster(
    _ ranks: Int, perNode: Int? = nil, bandwidth: Double = 1e9, latency: Double = 1e-5, memory: Int = 1 << 30
  ) -> Cluster {
    Cluster(ranks: ranks, ranksPerNode: perNode ?? ranks, bandwidth: bandwidth, latency: latency, memory: memory)
  }
}
