import Data
import Files
import MPI
import Parallel

/// Cases on what the ranks of a grid tell each other.
let gridStepCases: [RankCase] =
  gridCases("traffic") { grid in
    // Steps that are all alike: how many of them is for the test to say, which counts between program and library.
    guard let steps = Machine.environment("APUS_STEPS").flatMap({ Int($0) }) else {
      throw CaseFailure("APUS_STEPS is not set")
    }
    let dataset = try scatteredDataset(world: grid.world)
    var planned = StepTraffic()
    for settings in LayoutSettings.all + LayoutSettings.rounded {
      let problem = try GridProblem(settings, dataset, grid)
      let needsNorm = settings.clipNorm > 0
      for epoch in 0..<steps {
        _ = try problem.strategy.sumGradient(
          epoch: epoch, positions: 0..<settings.batchRows, raised: StepTotals(), needsNorm: needsNorm)
        _ = try problem.strategy.update { _, _, _ in }
      }
      planned += try problem.plan.traffic(at: grid.place, needsNorm: needsNorm)
    }
    let numbers = [planned.messages, planned.collectives].flatMap { [$0.messages, $0.bytes] }
    let all = try grid.world.allGather(numbers)
    if grid.world.rank == 0 { for one in all { print(one.map { "\($0)" }.joined(separator: " ")) } }
  }
  + gridCases("flags") { grid in
    let dataset = try scatteredDataset(world: grid.world)
    for (index, settings) in [
      LayoutSettings(), LayoutSettings(mode: .fast), LayoutSettings(virtualRanks: 1),
      LayoutSettings(virtualRanks: 1, shardsOptimizer: true), LayoutSettings(mode: .fast, shardsOptimizer: true),
      LayoutSettings(ranksPerNode: 99), LayoutSettings(virtualRanks: 1, ranksPerNode: 2),
      LayoutSettings(mode: .fast, ranksPerNode: 3), LayoutSettings(virtualRanks: 1, wire: Wire(.bfloat16)),
      LayoutSettings(virtualRanks: 1, ranksPerNode: 2, wire: Wire(.bfloat16)),
    ].enumerated() {
      let problem = try GridProblem(settings, dataset, grid)
      for raiser in -1..<grid.world.size {
        let isMe = raiser == grid.world.rank
        // Every rank raises every set of flags under some of the settings.
        let flags = [[true, false, false], [false, true, true], [true, true, false]][(index + raiser + 1) % 3]
        let own = flags.map { $0 && isMe }
        let totals = try problem.strategy.sumGradient(
          epoch: 0, positions: 0..<5, raised: StepTotals(stop: own[0], save: own[1], writing: own[2]),
          needsNorm: false)
        let what = "\(settings), flags of rank \(raiser)"
        try expect(totals.rows, 5, what)
        try expect([totals.stop, totals.save, totals.writing], flags.map { $0 && raiser >= 0 }, what)
      }
    }
  }
  + gridCases("unreadable") { grid in
    let whole = try scatteredDataset(world: grid.world)
    let broken = try scatteredDataset(world: grid.world, isBroken: true)
    for settings in [
      LayoutSettings(batchRows: 69, shuffle: false),
      LayoutSettings(mode: .fast, batchRows: 69, shardsOptimizer: true, shuffle: false),
      LayoutSettings(batchRows: 69, shuffle: false, ranksPerNode: 99),
      LayoutSettings(batchRows: 69, shuffle: false, ranksPerNode: 2),
      LayoutSettings(batchRows: 69, shuffle: false, wire: Wire(.bfloat16)),
      LayoutSettings(batchRows: 69, shuffle: false, ranksPerNode: 2, wire: Wire(.bfloat16)),
    ] {
      for victim in 0..<grid.world.size {
        let isMe = victim == grid.world.rank
        let victimReads = try grid.world.broadcast([grid.place.reads.isEmpty ? 0 : 1], root: victim)[0] > 0
        // A victim finds a feature that is no number, or labels that there should not be.
        let problem = try GridProblem(settings, isMe ? broken : whole, grid, classes: isMe ? 2 : 4)
        let what = "rank \(victim) cannot read, \(settings)"
        // Twice: nothing of a failed step is left over.
        for _ in 0..<2 {
          var caught: StepFailure?
          do {
            _ = try problem.strategy.sumGradient(
              epoch: 0, positions: 0..<69, raised: StepTotals(), needsNorm: false)
          } catch let failure as StepFailure {
            caught = failure
          }
          let fails = try grid.world.allReduce(caught?.own == nil ? 0 : 1, .maximum) > 0
          // Only the copy of the model that has row 40 needs it; labels are needed everywhere.
          if !victimReads { try expect(fails, false, what) }
          if victimReads, grid.shape.data == 1 { try expect(fails, true, what) }
          try expect(caught != nil, fails, what)
          try expect(caught?.own != nil, fails && isMe, what)
        }
      }
    }
  }
