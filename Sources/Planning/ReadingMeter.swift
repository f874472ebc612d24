public import Data
import Failures
public import MPI

/// Measures what it takes to read the rows of a data set, from its files and from memory. Collective.
public enum ReadingMeter {
  /// Seconds that are spent at most.
  private static let budget = 0.4

  /// What a batch of so many bytes takes out of the window of rows, and into it. Collective; the same on all ranks.
  /// - Parameter rows: of a batch.
  public static func measure(
    _ dataset: ShardedDataset, targetUse: TargetUse, transform: FeatureTransform, seed: UInt64, shuffle: Bool,
    rows: Int, world: borrowing Communicator
  ) throws -> (gathering: CostCurve, loading: CostCurve) {
    // Each rank reads its own rows, as in a training.
    let ranks = world.size
    let order = dataset.order(virtualRanks: ranks, seed: seed, shuffle: shuffle)
    let own = order.range(ofVirtualRank: world.rank).count
    var failure: DataError?
    var (gathering, loading) = (0.0, 0.0)
    do {
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: world.rank..<world.rank + 1, targetUse: targetUse,
        transform: transform)
      let floats = dataset.columns + targetUse.floatsPerRow
      let start = ContinuousClock.now
      var (read, passes, slot) = (0, 0, 0)
      while own > 0, (ContinuousClock.now - start) / .seconds(1) < budget {
        let slots = slot..<min(slot + rows, own)
        try reader.withBatch(virtualRank: world.rank, epoch: 0, slots: slots) { _, _, _, _ in }
        read += slots.count
        passes += 1
        slot = slots.upperBound < own ? slots.upperBound : 0
        // What is kept in memory costs no more than this.
        if slot == 0, read >= own { break }
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      if read > 0 { gathering = max(0, seconds - reader.secondsReading) / Double(4 * floats * read) }
      if reader.rowsRead > 0 { loading = reader.secondsReading / Double(4 * floats * reader.rowsRead) }
    } catch let error as DataError {
      failure = error
    }
    try Agreement.everywhere(world) { if let failure { throw failure } }
    let perByte = try world.allReduce([gathering, loading], .maximum)
    return (curve(perByte[0]), curve(perByte[1]))
  }

  private static func curve(_ secondsPerByte: Double) -> CostCurve {
    CostCurve([CostCurve.Point(size: 0, seconds: 0), CostCurve.Point(size: 1e6, seconds: 1e6 * secondsPerByte)])
  }
}
