/// All layouts of a training on a cluster, the best first.
public struct ClusterPlan: Sendable {
  public let training: PlannedTraining
  public let profile: MachineProfile
  public let cluster: Cluster
  /// Those that fit come first, the fastest before the others.
  public let predictions: [LayoutPrediction]

  /// Predicts every layout that the ranks of `cluster` can have.
  public init(_ training: PlannedTraining, profile: MachineProfile, cluster: Cluster) throws {
    self.training = training
    self.profile = profile
    self.cluster = cluster
    let predictor = StepPredictor(training, profile, cluster)
    let alone = try predictor.secondsAlone()
    var found: [LayoutPrediction] = []
    for layout in training.layouts(ranks: cluster.ranks) {
      if let prediction = try predictor.predict(layout, alone: alone) { found.append(prediction) }
    }
    predictions = found.sorted { $0.isBetter(than: $1) }
  }

  /// The fastest that fits; of several that are as fast, the one that takes least memory. Nil where none fits.
  public var best: LayoutPrediction? { predictions.first.flatMap { $0.fits ? $0 : nil } }

  /// For each grid, with shared moments or without, its best number of micro-batches.
  public var bestOfEachGrid: [LayoutPrediction] {
    var seen: [Layout] = []
    return predictions.filter { prediction in
      let layout = prediction.layout
      let grid = Layout(shape: layout.shape, shardsOptimizer: layout.shardsOptimizer)
      if seen.contains(grid) { return false }
      seen.append(grid)
      return true
    }
  }
}

extension LayoutPrediction {
  fileprivate func isBetter(than other: LayoutPrediction) -> Bool {
    if fits != other.fits { return fits }
    if step != other.step { return step < other.step }
    if nodeMemory != other.nodeMemory { return nodeMemory < other.nodeMemory }
    return layout.microBatches < other.layout.microBatches
  }
}
