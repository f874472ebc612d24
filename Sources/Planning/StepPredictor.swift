import Data
import Model
import Parallel
import Training

/// Predicts the steps of a training under any layout, from what a machine takes for their parts.
public struct StepPredictor {
  let training: PlannedTraining
  let profile: MachineProfile
  let cluster: Cluster

  public init(_ training: PlannedTraining, _ profile: MachineProfile, _ cluster: Cluster) {
    self.training = training
    self.profile = profile
    self.cluster = cluster
  }

  /// Copies of the model that are looked at: all of few, and of many these, from the first to the last.
  private static let mostCopies = 64

  /// Seconds of a step on average over the ranks.
  private struct Times {
    var step = 0.0
    var computing = 0.0
    var communication = 0.0
  }

  /// What is expected of `layout`; nil where the model cannot be cut so.
  /// - Parameter alone: seconds of a step on one rank.
  func predict(_ layout: Layout, alone: Double) throws -> LayoutPrediction? {
    guard let plan = training.step(layout, ranksPerNode: cluster.ranksPerNode) else { return nil }
    let times = try times(plan)
    let (rank, node) = try memory(plan)
    return LayoutPrediction(
      layout: layout, step: times.step, computing: times.computing,
      waiting: max(0, times.step - times.computing - times.communication), communication: times.communication,
      rankMemory: rank, nodeMemory: node, fits: node <= cluster.memory,
      efficiency: alone / (Double(layout.shape.ranks) * times.step),
      samplesPerSecond: Double(training.batchRows) / times.step)
  }

  /// Seconds of a step on one rank that has the whole model and all rows.
  func secondsAlone() throws -> Double {
    let layout = Layout(shape: GridShape(data: 1), microBatches: training.microBatches)
    guard let plan = training.step(layout, ranksPerNode: 1) else { return .nan }
    return try times(plan).step
  }

  private func times(_ plan: StepPlan) throws -> Times {
    let shape = plan.shape
    let stages = try (0..<shape.pipeline).map { try StageTimes($0, plan, self) }
    var sums = Times()
    // When the passes of each stage are done on the last of the copies.
    var ends = [Double](repeating: 0, count: shape.pipeline)
    let copies = Self.sample(shape.data)
    for copy in copies {
      let rows = plan.passes(data: copy)
      let timeline = PipelineTimeline(
        stages: shape.pipeline, microBatches: rows.count,
        forward: { stages[$0].forward(rows[$1]).sum }, backward: { stages[$0].backward(rows[$1]).sum },
        hop: { stages[$0].hop(to: $1, rows: rows[$2], copy: copy) })
      for (index, stage) in stages.enumerated() {
        let place = Self.place(shape, copy: copy, stage: index)
        let additions = try ownAdditions(plan, place)
        ends[index] = max(ends[index], timeline.ends[index] + additions)
        sums.computing += additions
        for count in rows {
          let (forward, backward) = (stage.forward(count), stage.backward(count))
          sums.computing += forward.computing + backward.computing
          sums.communication += forward.communication + backward.communication
        }
      }
    }
    // The means over copies and stages.
    sums.computing /= Double(copies.count * shape.pipeline)
    sums.communication /= Double(copies.count * shape.pipeline)
    try finish(plan, stages, ends, &sums)
    return sums
  }

  /// What comes after the passes: the sum over the copies, the report among the ranks of a copy, the update.
  private func finish(
    _ plan: StepPlan, _ stages: [StageTimes], _ passesEnd: [Double], _ times: inout Times
  ) throws {
    let shape = plan.shape
    var ends = passesEnd
    let share = 1 / Double(shape.pipeline)
    for stage in ends.indices {
      var reduction = try ReductionTimes(plan, Self.place(shape, copy: 0, stage: stage), self).reduction
      if plan.overlap != nil, let rows = plan.passes(data: 0).last {
        reduction.communication = stages[stage].exposed(reduction.communication, rows: rows)
      }
      ends[stage] += reduction.sum
      times.computing += reduction.computing * share
      times.communication += reduction.communication * share
    }
    var start = ends.max() ?? 0
    if shape.modelRanks > 1 {
      let group = Cluster.Group(first: 0, stride: 1, count: shape.modelRanks)
      let report = cluster.exchange(64, rounds: Self.rounds(shape.modelRanks), in: group, profile)
      start += report
      times.communication += report
      ends = ends.map { _ in start }
    }
    for stage in ends.indices {
      let sum = try ReductionTimes(plan, Self.place(shape, copy: 0, stage: stage), self)
      ends[stage] += sum.update.sum
      times.computing += sum.update.computing * share
      times.communication += sum.update.communication * share
    }
    times.step = ends.max() ?? 0
  }

  private func ownAdditions(_ plan: StepPlan, _ place: GridPlace) throws -> Double {
    let sum = try plan.summation(at: place)
    return Double(sum.ownAdditions) * profile.addition.seconds(sum.width)
  }

  /// The most that a rank holds, and the ranks of a node together.
  private func memory(_ plan: StepPlan) throws -> (rank: Int, node: Int) {
    let shape = plan.shape
    // By the place in a copy; copies differ by little.
    var bytes = [Int](repeating: 0, count: shape.modelRanks)
    for copy in Set([0, shape.data / 2, shape.data - 1]) {
      for index in bytes.indices {
        let place = shape.place(copy * shape.modelRanks + index)
        bytes[index] = max(bytes[index], try training.memory(plan, at: place).total)
      }
    }
    var node = 0
    for start in stride(from: 0, to: shape.ranks, by: cluster.ranksPerNode) {
      let ranks = start..<min(start + cluster.ranksPerNode, shape.ranks)
      node = max(node, ranks.reduce(0) { min($0 + bytes[$1 % shape.modelRanks], Int.max / 2) })
    }
    return (bytes.max() ?? 0, node)
  }

  /// Where the last part of a stage is: the largest, if parts differ.
  static func place(_ shape: GridShape, copy: Int, stage: Int) -> GridPlace {
    shape.place(copy * shape.modelRanks + stage * shape.tensor + shape.tensor - 1)
  }

  private static func sample(_ copies: Int) -> [Int] {
    guard copies > mostCopies else { return Array(0..<copies) }
    return (0..<mostCopies).map { $0 * (copies - 1) / (mostCopies - 1) }
  }

  /// Rounds of a collective in which what is known doubles in each.
  static func rounds(_ ranks: Int) -> Int { ranks > 1 ? Int.bitWidth - (ranks - 1).leadingZeroBitCount : 0 }
}

/// Seconds of a piece of a step.
struct PieceTimes: Equatable {
  var computing = 0.0
  var communication = 0.0

  var sum: Double { computing + communication }
}
