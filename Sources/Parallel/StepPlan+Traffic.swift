public import Model

/// What a rank says in a step.
public struct StepTraffic: Equatable, Sendable {
  /// Messages to single ranks.
  public var messages = Traffic()
  /// Calls of the library in which a group takes part together, and the bytes that this rank brings to them.
  public var collectives = Traffic()

  public init() {}

  public static func += (sum: inout StepTraffic, other: StepTraffic) {
    sum.messages += other.messages
    sum.collectives += other.collectives
  }
}

extension StepPlan {
  /// What the rank at `place` says in the first step of an epoch, and in every step whose virtual ranks have as many rows.
  ///
  /// Of the pipeline: for each pass its rows times the outputs of the stage to the stage behind, and its rows times the inputs to the stage
  /// before. Of the tensor split: what the layers exchange for each pass, and the features and targets from the rank that reads them. Of
  /// the data group: for each piece of the tree the slices of the other ranks, or one call of the library under `fast`; where ranks share
  /// memory nothing within a node, and between nodes sums of slices and updated slices; bucket by bucket where the
  /// exchange overlaps with computing.
  /// - Parameter needsNorm: gradients are clipped.
  public func traffic(at place: GridPlace, needsNorm: Bool = false) throws(ModelError) -> StepTraffic {
    let stage = try stage(at: place)
    var traffic = layerTraffic(stage, place)
    if let plan = try nodePlan(at: place) {
      traffic += nodeTraffic(plan, needsNorm: needsNorm)
    } else {
      traffic += dataTraffic(try slices(at: place), rank: place.data.index, needsNorm: needsNorm)
    }
    if shape.modelRanks > 1 {
      let sums = needsNorm ? stage.layout.entries.count : 0
      traffic.collectives += Traffic(messages: 1, bytes: GroupReport.bytes(sums: sums))
    }
    return traffic
  }

  /// What all ranks say together.
  public func traffic(needsNorm: Bool = false) throws(ModelError) -> StepTraffic {
    var sum = StepTraffic()
    for index in 0..<shape.ranks { sum += try traffic(at: shape.place(index), needsNorm: needsNorm) }
    return sum
  }

  /// Between the ranks that hold one copy of the model.
  private func layerTraffic(_ stage: Stage, _ place: GridPlace) -> StepTraffic {
    let passes = passes(data: place.data.index)
    let rows = passes.reduce(0, +)
    var traffic = StepTraffic()
    if !place.pipeline.isLast {
      traffic.messages += Traffic(messages: passes.count, bytes: 4 * rows * stage.outputs)
    }
    if !place.pipeline.isFirst {
      traffic.messages += Traffic(messages: passes.count, bytes: 4 * rows * stage.inputs)
    }
    guard shape.tensor > 1 else { return traffic }
    let transfers =
      stage.transfers.forward + (stage.isLast ? stage.transfers.loss : []) + stage.transfers.backward
    for rows in passes {
      for transfer in transfers {
        traffic.messages += TensorExchange.traffic(of: transfer, rows: rows, place: place.part)
      }
    }
    // What one rank reads goes to all that hold parts of the same layers.
    let sent = place.tensor.isFirst ? 4 * rows : 0
    if stage.isFirst { traffic.collectives += Traffic(messages: passes.count, bytes: sent * model.inputs) }
    if stage.isLast { traffic.collectives += Traffic(messages: passes.count, bytes: sent * model.targetsPerRow) }
    return traffic
  }

  /// Between the ranks that hold the same parameters.
  private func dataTraffic(_ slices: GradientSlices, rank: Int, needsNorm: Bool) -> StepTraffic {
    var traffic = StepTraffic()
    guard shape.data > 1 else { return traffic }
    let own = slices.ranges[rank]
    if let sliceFloats = bucketSliceFloats {
      traffic += BucketPlan.traffic(
        count: slices.parameters, width: slices.width, sliceFloats: sliceFloats, virtualRanks: virtualRanks, mode: mode,
        precision: wire.precision, rank: rank)
      if GradientSum.hasIdleRanks(virtualRanks, mode) { traffic.collectives += Traffic(messages: 1, bytes: 12) }
      return traffic
    }
    switch mode {
    case .ordered:
      let pieces = OrderedExchange.pieces(virtualRanks)[rank].count
      let receivers = slices.ranges.enumerated().count { $0.offset != rank && !$0.element.isEmpty }
      traffic.messages += Traffic(messages: pieces * receivers, bytes: 4 * pieces * (slices.width - own.count))
    case .fast:
      traffic.collectives += Traffic(messages: 1, bytes: 4 * slices.width)
    }
    guard let runs = slices.runs else {
      if mode == .ordered { traffic.collectives += Traffic(messages: 1, bytes: 4 * own.count) }
      if GradientSum.hasIdleRanks(virtualRanks, mode) { traffic.collectives += Traffic(messages: 1, bytes: 12) }
      return traffic
    }
    traffic.collectives += Traffic(messages: 1, bytes: GroupReport.bytes(sums: needsNorm ? runs[rank].count : 0))
    traffic.collectives += Traffic(messages: 1, bytes: 4 * slices.owned[rank].count)
    return traffic
  }

  /// Between ranks some of which share memory.
  private func nodeTraffic(_ plan: NodePlan, needsNorm: Bool) -> StepTraffic {
    var traffic = StepTraffic()
    for rank in plan.served { traffic.messages += plan.sumTraffic(to: rank, wire) }
    let others = plan.map.nodes.count - 1
    traffic.messages += plan.parameterTraffic(wire)
    guard needsNorm || others > 0 || shape.modelRanks > 1, let runs = plan.slices.runs else { return traffic }
    traffic.collectives += Traffic(
      messages: 1, bytes: GroupReport.bytes(sums: needsNorm ? runs[plan.rank].count : 0))
    return traffic
  }
}
