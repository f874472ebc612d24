import Data
import Files
import Kernels
import Optimization
import Parallel

/// What a rank writes of a checkpoint, copied, so that the training goes on while it is written.
///
/// The parameters lie first, then each moment, then the best parameters, each as far from the start of a page as in the file, so that
/// whole pages can be written past the system's cache. Checksums are taken in the same pass as the copy, while the numbers are at hand.
struct CheckpointCopy: Sendable {
  private struct State: ~Copyable {
    /// Made for the first checkpoint.
    var values = FloatBuffer(count: 0)
    /// What each region contributes to the checksums of its tensors.
    var sums: [[(tensor: Int, part: Checksum.Part)]]
  }

  private let regions: [CheckpointRegion]
  private let count: Int
  private let state: Monitor<State>

  /// - Parameters:
  ///   - moments: how many the optimizer has.
  ///   - keepsBest: the parameters of the best validation are part of it.
  init(_ share: ModelShare, moments: Int, keepsBest: Bool) {
    let page = File.pageBytes / MemoryLayout<Float>.stride
    var end = 0
    func region(
      _ kind: CheckpointContents.Kind, _ runs: [TensorRun], origin: Int = 0, copy index: Int = 0
    ) -> CheckpointRegion {
      let region = CheckpointRegion(kind, runs, origin: origin, copy: index, of: share.starts) { first in
        (end + page - 1) / page * page + first % page
      }
      end = region.end
      return region
    }
    var regions = [region(.parameters, share.parameters)]
    for index in 0..<moments {
      regions.append(region(.moments, share.moments, origin: share.momentOrigin, copy: index))
    }
    if keepsBest { regions.append(region(.best, share.parameters)) }
    self.regions = regions
    count = end
    state = Monitor(State(sums: regions.map { _ in [] }))
  }

  /// Copies what `trainer` holds now; waits for whoever still writes what it held before.
  /// - Returns: the first kind of tensor with a number that is not finite, and its index among the moments; nil where all are.
  func take<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) -> NonFinitePlace? {
    state.withLock { state in
      // Memory of its own pages.
      if state.values.count < count { state.values = FloatBuffer(sharing: PageMemory(count: count)) }
      var place: NonFinitePlace?
      var moments = 0
      for (number, region) in regions.enumerated() {
        let (sums, isFinite) =
          switch region.kind {
          case .parameters: trainer.strategy.withParameters { region.copy($0, to: &state.values) }
          case .moments: trainer.optimizer.withState(moments) { region.copy($0, to: &state.values) }
          case .best: trainer.best.count > 0 ? region.copy(trainer.best, to: &state.values) : ([], true)
          }
        state.sums[number] = sums
        if !isFinite, place == nil { place = region.kind == .moments ? .moment(moments) : .parameters }
        if region.kind == .moments { moments += 1 }
      }
      return place
    }
  }

  /// Writes the rank's share of a file.
  func write(_ kind: CheckpointContents.Kind, with writer: SafetensorsWriter) throws(DataError) {
    try state.withLock { (state) throws(DataError) in
      let own = regions.indices.filter { regions[$0].kind == kind }
      try writer.write(state.values, own.flatMap { regions[$0].pieces }, own.flatMap { state.sums[$0] })
    }
  }
}
