import Data
import Files
import Kernels
import MPI
import Model
import Parallel

/// Cases on the sum of gradients over ranks.
let parallelCases: [RankCase] = [
  RankCase("gradientBits") { world in
    for microBatches in [1, 3] {
      for virtualRanks in [1, 3, 7, 12] {
        let digest = try gradients(.ordered, virtualRanks: virtualRanks, microBatches: microBatches, world).digest
        try expect(Set(try world.allGather(Array(digest.utf8))).count, 1, "digests of the ranks")
        if world.rank == 0 { print("\(virtualRanks) virtual ranks, \(microBatches) parts: \(digest)") }
      }
    }
  },
  RankCase("gradientValues") { world in
    let expected = try gradients(.ordered, virtualRanks: 1, microBatches: 1, world)
    for (mode, virtualRanks, microBatches) in [
      (GradientReduction.ordered, 3, 1), (.ordered, 12, 2), (.fast, 1, 1), (.fast, 7, 1), (.fast, 12, 4),
    ] {
      let found = try gradients(mode, virtualRanks: virtualRanks, microBatches: microBatches, world)
      let what = "\(mode), \(virtualRanks) virtual ranks, \(microBatches) parts"
      // Not shuffled, and all rows in one step: the same sum in another order.
      for (value, truth) in zip(found.full, expected.full) where abs(value - truth) > 1e-5 * expected.fullNorm {
        throw CaseFailure("\(what): \(value) instead of \(truth)")
      }
      let error = abs(found.fullLoss - expected.fullLoss) / expected.fullLoss
      if !(error < 1e-6) { throw CaseFailure("\(what): loss \(found.fullLoss) instead of \(expected.fullLoss)") }
    }
  },
  RankCase("overlapFailures") { world in
    for mode in GradientReduction.allCases {
      for victim in 0..<world.size {
        // The victim finds labels that there should not be, in the middle of its step.
        let problem = try Problem(
          mode, virtualRanks: 2 * world.size + 1, microBatches: 2, world, overlap: Overlap(sliceBytes: 40),
          classes: world.rank == victim ? 2 : 4)
        // Three times: nothing of a failed step is left over.
        for _ in 0..<3 {
          var caught: StepFailure?
          do {
            _ = try problem.strategy.sumGradient(
              epoch: 0, positions: 0..<69, raised: StepTotals(), needsNorm: false)
          } catch let failure as StepFailure {
            caught = failure
          }
          let what = "\(mode), rank \(victim) cannot compute"
          try expect(caught != nil, true, what)
          try expect(caught?.own != nil, world.rank == victim, what)
        }
      }
    }
  },
  RankCase("raisedFlags") { world in
    for mode in GradientReduction.allCases {
      for virtualRanks in [1, 3, 8] {
        let problem = try Problem(mode, virtualRanks: virtualRanks, microBatches: 1, world)
        for raiser in -1..<world.size {
          let isMe = raiser == world.rank
          for (stop, save, writing) in [(isMe, false, false), (false, isMe, isMe), (isMe, isMe, false)] {
            let totals = try problem.strategy.sumGradient(
              epoch: 0, positions: 0..<5, raised: StepTotals(stop: stop, save: save, writing: writing), needsNorm: false
            )
            let what = "\(mode), \(virtualRanks) virtual ranks, flags of rank \(raiser)"
            try expect(totals.rows, 5, what)
            let anyone = raiser >= 0
            let asked = try world.allReduce([stop ? 1 : 0, save ? 1 : 0, writing ? 1 : 0] as [Int32], .maximum)
            try expect([totals.stop, totals.save, totals.writing], asked.map { anyone && $0 > 0 }, what)
          }
        }
      }
    }
  },
]

/// A small training that all ranks hold.
private struct Problem {
  let strategy: DataParallel
  let model: Model
  let rows: Int

  /// - Parameter classes: labels from this on are refused.
  init(
    _ mode: GradientReduction, virtualRanks: Int, microBatches: Int, _ world: borrowing Communicator,
    overlap: Overlap? = nil, classes: Int = 4
  ) throws {
    let dataset = try numberedDataset(shards: unevenShards, columns: 6, classes: 4, world: world) { row, column in
      // Numbers without a pattern, of many magnitudes, so that every other order of a sum gives other bits.
      let mixed = UInt32(truncatingIfNeeded: row &* 2_654_435_761 &+ column &* 40_503 &+ 12_345) &* 2_246_822_519
      return (Float(mixed >> 8) / Float(1 << 23) - 1) * Float(1 << (row % 5))
    }
    let order = dataset.order(virtualRanks: virtualRanks, seed: 3, shuffle: false)
    let own = VirtualRanks(count: virtualRanks, ranks: world.size).run(by: world.rank)
    let model = try Model(kind: .mlp, sizes: [6, 9, 4], activation: .tanh, loss: .softmax)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: own, targetUse: .classIndex(classes: classes))
    strategy = try DataParallel(
      model: model, order: order, reader: reader, world: world, mode: mode, batchRows: dataset.rows,
      microBatches: MicroBatches(count: microBatches), overlap: overlap)
    strategy.replaceParameters { model.initialize(&$0, seed: 2) }
    self.model = model
    rows = dataset.rows
  }

  /// The summed gradient as it would be handed to the optimizer.
  func gradient() throws -> [Float] {
    var values: [Float] = []
    _ = try strategy.update { _, gradient, range in values = gradient.values(in: range) }
    return values
  }
}

private struct Gradients {
  /// A checksum over the bits of the gradients and losses of some steps.
  var digest: String
  /// The gradient and the loss of all rows.
  var full: [Float]
  var fullLoss: Double
  var fullNorm: Float
}

private func gradients(
  _ mode: GradientReduction, virtualRanks: Int, microBatches: Int, _ world: borrowing Communicator
) throws -> Gradients {
  let problem = try Problem(mode, virtualRanks: virtualRanks, microBatches: microBatches, world)
  var checksum = Checksum()
  var result = Gradients(digest: "", full: [], fullLoss: 0, fullNorm: 0)
  for positions in [0..<1, 7..<20, 62..<69, 0..<69] {
    let totals = try problem.strategy.sumGradient(epoch: 0, positions: positions, raised: StepTotals(), needsNorm: true)
    try expect(totals.rows, positions.count, "rows of \(positions)")
    result.full = try problem.gradient()
    result.fullLoss = totals.loss
    checksum.update(Array("\(result.full.map(\.bitPattern)) \(totals.lossSum.bitPattern)".utf8))
  }
  result.fullNorm = Float(problem.strategy.gradientNorm())
  result.digest = checksum.hex
  return result
}
