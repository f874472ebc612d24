import Parallel
import Testing

@testable import Planning

/// Plans with given times, by hand.
@Suite struct ClusterPlanTests {
  private func plan(
    _ ranks: Int, _ profile: MachineProfile, _ cluster: Cluster? = nil, sharesMemory: Bool = true,
    settings: String = "wire: \"float32\""
  ) throws -> ClusterPlan {
    try ClusterPlan(
      PlanningProblem.training(parallel: "virtual_ranks: 8, shared_memory: \(sharesMemory), \(settings)"),
      profile: profile,
      cluster: cluster ?? PlanningProblem.cluster(ranks))
  }

  private func find(
    _ plan: ClusterPlan, _ data: Int, _ pipeline: Int, _ tensor: Int, shard: Bool = false, micro: Int = 1
  ) throws -> LayoutPrediction {
    let layout = Layout(
      shape: GridShape(data: data, pipeline: pipeline, tensor: tensor), shardsOptimizer: shard, microBatches: micro)
    return try #require(plan.predictions.first { $0.layout == layout })
  }

  private func expect(_ seconds: Double, _ expected: Double, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(abs(seconds - expected) <= 1e-9 * expected + 1e-12, "\(seconds)", sourceLocation: sourceLocation)
  }

  /// 64 rows through four layers: forward 4 us a row; backward 1 + 2 + 2 + 2.
  private let alone = 64 * 11e-6

  @Test func oneRank() throws {
    let plan = try plan(1, PlanningProblem.profile())
    #expect(plan.predictions.allSatisfy { $0.layout.shape == GridShape(data: 1) && $0.waiting == 0 })
    let best = try #require(plan.best)
    expect(best.step, alone)
    expect(best.efficiency, 1)
    expect(best.samplesPerSecond, 64 / alone)
  }

  /// With free messages, rows that divide evenly take half the time on two ranks.
  @Test func twoCopies() throws {
    let prediction = try find(plan(2, PlanningProblem.profile()), 2, 1, 1)
    expect(prediction.computing, alone / 2)
    #expect(prediction.efficiency > 0.999 && prediction.communication < 1e-6)
  }

  /// The exchange of two ranks: 40,400 parameters and the totals behind them are 40,416 floats, half of which each sends, twice.
  @Test func reductionOfTwoCopies() throws {
    let width = 40_416.0
    let within = PlanningProblem.profile(exchange: CostCurve(latency: 1e-6, rate: 1e9))
    // With eight virtual ranks each of two ranks holds one piece after its own additions.
    let apart = try find(plan(2, within, sharesMemory: false), 2, 1, 1)
    expect(apart.communication, 2 * (1e-6 + 2 * width / 1e9))
    // In memory that they share nothing is sent; they meet twice.
    expect(try find(plan(2, within), 2, 1, 1).communication, 2e-6)
    let between = PlanningProblem.cluster(2, perNode: 1, bandwidth: 1e8, latency: 1e-5)
    // Between nodes such large messages do not quite go both ways at once.
    expect(
      try find(plan(2, within, between, settings: "bucket_bytes: 0"), 2, 1, 1).communication,
      2 * (1e-5 + 1.2 * 2 * width / 1e8))
  }

  /// A rank on a node of its own sends the gradients of its last eight rows while it computes them: of 56 us those before the last
  /// layer's has half of its weights' gradient cannot hide anything.
  @Test func exchangeBehindTheBackwardPass() throws {
    func communication(_ bandwidth: Double, _ settings: String) throws -> Double {
      let cluster = PlanningProblem.cluster(2, perNode: 1, bandwidth: bandwidth, latency: 1e-5)
      return try find(plan(2, PlanningProblem.profile(), cluster, settings: settings), 2, 1, 1).communication
    }
    let exact = "wire: \"float32\""
    expect(try communication(1e8, exact), 2e-5 + 4 * 40_416 / 1e8 - 48e-6)
    // Half of a gradient of 40,400 numbers, the totals as they are, and a last bucket that is cut in the middle of both.
    expect(try communication(1e8, "wire: \"bfloat16\""), 2e-5 + 4 * (2 * 7_168 + 2_944 + 2_936) / 1e8 - 48e-6)
    // What is faster than the computing is done with it but for the first layer's gradient, which is last.
    #expect(try communication(1e14, exact) < 1e-5)
  }

  /// Two stages of two layers: 5 us and 6 us a row. One virtual rank has 8 rows, so that a step has eight micro-batches.
  @Test func twoStages() throws {
    let prediction = try find(plan(2, PlanningProblem.profile()), 1, 2, 1)
    // The second stage is the slower: it begins after one forward pass of the first, which ends with a backward pass of its own.
    expect(prediction.step, 8 * (2e-6 + 8 * 6e-6 + 3e-6) + 0)
    expect(prediction.computing, alone / 2)
    expect(prediction.step, prediction.computing + prediction.waiting + prediction.communication)
  }

  /// Parts of layers are half as large; what was not measured takes as long for each multiply-add.
  @Test func twoParts() throws {
    let prediction = try find(plan(2, PlanningProblem.profile(exchange: CostCurve(latency: 1e-6, rate: 1e9))), 1, 1, 2)
    expect(prediction.computing, alone / 2)
    #expect(prediction.communication > 0 && prediction.waiting < 1e-12)
  }

  @Test func momentsThatAreShared() throws {
    let profile = PlanningProblem.profile(update: CostCurve(latency: 0, rate: 1e9))
    let plan = try plan(2, profile, sharesMemory: false)
    let (whole, shared) = (try find(plan, 2, 1, 1), try find(plan, 2, 1, 1, shard: true))
    expect(whole.computing - alone / 2, 40_400 / 1e9)
    #expect(shared.computing < whole.computing - 0.49 * 40_400 / 1e9 && shared.rankMemory < whole.rankMemory)
  }

  @Test func everyLegalLayout() throws {
    let plan = try plan(12, PlanningProblem.profile())
    let grids = Set(plan.predictions.map { "\($0.layout.shape)" })
    var expected: Set<String> = []
    for pipeline in 1...4 {
      for tensor in 1...12 where 12.isMultiple(of: pipeline * tensor) {
        expected.insert("\(12 / (pipeline * tensor)) x \(pipeline) x \(tensor)")
      }
    }
    #expect(grids == expected)
    #expect(plan.predictions.contains { $0.layout.shardsOptimizer })
    #expect(Set(plan.predictions.map { $0.layout.microBatches }).count > 1)
    #expect(plan.bestOfEachGrid.count < plan.predictions.count)
  }

  @Test func theBestIsTheMinimum() throws {
    for perNode in [1, 2, 4, 8] {
      for bandwidth in [1e6, 1e8, 1e10] {
        let cluster = PlanningProblem.cluster(8, perNode: perNode, bandwidth: bandwidth)
        let plan = try plan(8, PlanningProblem.profile(exchange: CostCurve(latency: 1e-6, rate: 1e10)), cluster)
        #expect(plan.best?.step == plan.predictions.map(\.step).min())
        #expect(plan.predictions.map(\.step) == plan.predictions.map(\.step).sorted())
      }
    }
  }

  /// More bandwidth is never slower, and less latency neither, in any layout.
  @Test func betterLinksAreNeverSlower() throws {
    let profile = PlanningProblem.profile(exchange: CostCurve(latency: 1e-6, rate: 1e10))
    func steps(_ bandwidth: Double, _ latency: Double) throws -> [String: Double] {
      let cluster = PlanningProblem.cluster(8, perNode: 2, bandwidth: bandwidth, latency: latency)
      let found = try plan(8, profile, cluster).predictions.map { ("\($0.layout)", $0.step) }
      return Dictionary(uniqueKeysWithValues: found)
    }
    var before: [String: Double]?
    for (bandwidth, latency) in [(1e6, 1e-3), (1e7, 1e-3), (1e7, 1e-5), (1e9, 1e-5), (1e12, 0)] {
      let now = try steps(bandwidth, latency)
      if let before {
        for (layout, step) in now { #expect(step <= before[layout, default: 0] * (1 + 1e-12), "\(layout)") }
      }
      before = now
    }
  }

  /// A node that is too small for a copy of the model holds a part of it.
  @Test func whatDoesNotFit() throws {
    let whole = try plan(4, PlanningProblem.profile())
    let memories = whole.predictions.map(\.nodeMemory)
    let limit = (memories.min() ?? 0) + 1
    let tight = try plan(4, PlanningProblem.profile(), PlanningProblem.cluster(4, memory: limit))
    let best = try #require(tight.best)
    #expect(best.nodeMemory <= limit && best.fits && tight.predictions.contains { !$0.fits })
    #expect(tight.predictions.map(\.fits) == tight.predictions.map(\.fits).sorted { $0 && !$1 })
    #expect(try plan(4, PlanningProblem.profile(), PlanningProblem.cluster(4, memory: 1)).best == nil)
  }

  /// Ranks of one node talk faster than those of several, so a slow network is left to what sends least.
  @Test func slowNetworksWantFewMessages() throws {
    let profile = PlanningProblem.profile(exchange: CostCurve(latency: 1e-6, rate: 1e10))
    let cluster = PlanningProblem.cluster(4, perNode: 2, bandwidth: 1e6, latency: 1e-3)
    let slow = try plan(4, profile, cluster)
    #expect(try find(slow, 2, 1, 2).step < find(slow, 1, 1, 4).step)
  }
}
