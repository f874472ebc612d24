import Data
import Files
import Kernels
import MPI
import Model
import Parallel

/// Cases on the rows that the ranks of a training see.
let trainingCases: [RankCase] = [
  RankCase("epochCoverage") { world in
    let dataset = try numberedDataset(shards: unevenShards, columns: 3, classes: 5, world: world) { row, column in
      Float(row) + 0.25 * Float(column)
    }
    try expect(dataset.rows, 69, "rows")
    for shuffle in [true, false] {
      for virtualRanks in [1, 3, 7, 12, 80] {
        for batch in [1, 7, dataset.rows] {
          let order = dataset.order(virtualRanks: virtualRanks, seed: 5, shuffle: shuffle)
          let what = "\(virtualRanks) virtual ranks, batch \(batch)\(shuffle ? ", shuffled" : "")"
          try checkCoverage(dataset, order, batch: batch, what, world)
        }
      }
    }
  },
  RankCase("readAheadCoverage") { world in
    let dataset = try numberedDataset(shards: unevenShards, columns: 3, classes: 5, world: world) { row, column in
      Float(row) + 0.25 * Float(column)
    }
    for shuffle in [true, false] {
      for virtualRanks in [1, 3, 7] {
        let order = smallWindows(dataset, virtualRanks: virtualRanks, shuffle: shuffle)
        let what = "\(virtualRanks) virtual ranks, small windows\(shuffle ? ", shuffled" : "")"
        for batch in [1, 7] { try checkCoverage(dataset, order, batch: batch, what, world) }
      }
    }
  },
  // The rank whose thread has met a bad row tells the others in the step that needs it, and all end alike.
  RankCase("readAheadFailure") { world in
    let dataset = try numberedDataset(shards: unevenShards, columns: 3, classes: 5, world: world) { row, column in
      row == 60 && column == 1 ? .nan : Float(row)
    }
    let ranks = VirtualRanks(count: 4, ranks: world.size)
    let own = ranks.run(by: world.rank)
    let order = smallWindows(dataset, virtualRanks: 4, shuffle: true)
    let model = try Model(kind: .softmax, sizes: [3, 5], loss: .softmax)
    var steps: [Int] = []
    for readingAhead in [ReadingAhead.never, .always] {
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: own, targetUse: .classIndex(classes: 5), residentBytes: 0,
        readingAhead: readingAhead)
      let strategy = try DataParallel(
        model: model, order: order, reader: reader, world: world, mode: .ordered, batchRows: 6,
        microBatches: MicroBatches(count: 1))
      strategy.replaceParameters { $0.fill(with: 0) }
      for step in 0..<order.steps(batch: 6) {
        do {
          _ = try strategy.sumGradient(
            epoch: 0, positions: order.positions(ofStep: step, batch: 6), raised: StepTotals(), needsNorm: false)
        } catch let failure as StepFailure {
          steps.append(step)
          let isMine = own.contains(3)
          try expect(failure.own != nil, isMine, "whose error it is")
          if let error = failure.own as? DataError {
            try expect(error.message.contains("column 1: not a number"), true, error.message)
          }
          break
        }
      }
    }
    try expect(steps.count, 2, "failed trainings")
    try expect(steps[0], steps[1], "the step that fails")
    try expect(Set(try world.allGather([steps[0]]).flatMap { $0 }).count, 1, "the step that fails on all ranks")
  },
]

/// Windows of a few rows, so that a rank comes to many.
private func smallWindows(_ dataset: ShardedDataset, virtualRanks: Int, shuffle: Bool) -> SampleOrder {
  SampleOrder(
    segments: dataset.shards.map { SampleOrder.Segment(rows: $0.rows, blockRows: 2) }, columns: dataset.columns,
    virtualRanks: virtualRanks, seed: 5, shuffle: shuffle, windowBytes: 4 * dataset.columns * 4)
}

/// Walks through epochs as `DataParallel` does, under either reduction, and counts over all ranks how often each row was seen.
/// Rank 0 prints which rows formed which step, as a checksum that must not depend on the number of ranks.
private func checkCoverage(
  _ dataset: ShardedDataset, _ order: SampleOrder, batch: Int, _ what: String, _ world: borrowing Communicator
) throws {
  let own = VirtualRanks(count: order.virtualRanks, ranks: world.size).run(by: world.rank)
  let use = TargetUse.classIndex(classes: 5)
  let one = try BatchReader(
    dataset: dataset, order: order, virtualRanks: own, targetUse: use, residentBytes: 0, readingAhead: .always)
  let together = try BatchReader(dataset: dataset, order: order, virtualRanks: own, targetUse: use)
  var checksum = Checksum()
  for epoch in [0, 1, 5] {
    // Pairs of a step and a row.
    var seen: [Int] = []
    var seenTogether: [Int] = []
    for step in 0..<order.steps(batch: batch) {
      let positions = order.positions(ofStep: step, batch: batch)
      for virtualRank in own {
        let share = order.share(ofVirtualRank: virtualRank, positions: positions)
        seen += try one.withBatch(virtualRank: virtualRank, epoch: epoch, slots: share) {
          try rows($0, $1, $2, $3, step)
        }
      }
      let shares = { (virtualRank: Int) in order.share(ofVirtualRank: virtualRank, positions: positions) }
      seenTogether += try together.withBatch(epoch: epoch, slots: shares) { try rows($0, $1, $2, $3, step) }
    }
    try expect(seenTogether, seen, "\(what), epoch \(epoch): rows in one pass")
    let all = try world.allGather(seen).flatMap { $0 }.sorted()
    var counts = [Int](repeating: 0, count: dataset.rows)
    var sizes = [Int](repeating: 0, count: order.steps(batch: batch))
    for pair in all {
      counts[pair % mostRows] += 1
      sizes[pair / mostRows] += 1
    }
    try expect(counts, [Int](repeating: 1, count: dataset.rows), "\(what), epoch \(epoch): visits of each row")
    try expect(Set(sizes.dropLast()).subtracting([batch]), [], "\(what), epoch \(epoch): sizes of full batches")
    if !order.shuffle, order.virtualRanks == 1 {
      try expect(all.map { $0 % mostRows }, Array(0..<dataset.rows), "\(what), epoch \(epoch): order of the file")
    }
    checksum.update(Array("\(all)".utf8))
  }
  if world.rank == 0 { print("\(what): \(checksum.hex)") }
}

private let mostRows = 1 << 20

/// The numbers of the rows of a batch, which its features carry, each with the step before it.
private func rows(
  _ features: borrowing FloatBuffer, _ view: MatrixView, _ targets: borrowing FloatBuffer, _ offset: Int, _ step: Int
) throws -> [Int] {
  try (0..<view.rows).map { index in
    let row = Int(features[view.offset + index * view.rowStride])
    try expect(Int(targets[offset + index]), row % 5, "label of row \(row)")
    try expect(features[view.offset + index * view.rowStride + 2], Float(row) + 0.5, "last feature of row \(row)")
    return step * mostRows + row
  }
}
