import Data
import Files
import Kernels
import Optimization
import Parallel

/// What a rank writes of a checkpoint, copied, so that the training goes on while it is written.
///
/// The parameters lie first, then each moment, then the best parameters, each as far from the start of a page as in the file, so that
/// whole pages can be written past the system's cache.
struct CheckpointCopy: Sendable {
  private let share: ModelShare
  /// The same elements, where they are in the copy.
  private let packed: ModelShare
  /// Where the parameters begin, each moment, and the best parameters.
  private let parametersPlace: Int
  private let momentPlaces: [Int]
  private let bestPlace: Int
  private let count: Int
  /// Made for the first checkpoint.
  private let values = Monitor(FloatBuffer(count: 0))

  /// - Parameters:
  ///   - moments: how many the optimizer has.
  ///   - keepsBest: the parameters of the best validation are part of it.
  init(_ share: ModelShare, moments: Int, keepsBest: Bool) {
    self.share = share
    packed = ModelShare(
      parameters: share.parameters.packed, moments: share.moments.packed, momentOrigin: 0, starts: share.starts)
    let page = File.pageBytes / MemoryLayout<Float>.stride
    var end = 0
    func take(_ runs: [TensorRun], before: Int = 0) -> Int {
      let place = (end + page - 1) / page * page + share.place(of: runs, before: before) % page
      end = place + runs.elementCount
      return place
    }
    parametersPlace = take(share.parameters)
    momentPlaces = (0..<moments).map { take(share.moments, before: $0 * (share.starts.last ?? 0)) }
    bestPlace = keepsBest ? take(share.parameters) : 0
    count = end
  }

  /// Copies what `trainer` holds now; waits for whoever still writes what it held before.
  func take<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) {
    values.withLock { values in
      // Memory of its own pages.
      if values.count < count { values = FloatBuffer(sharing: PageMemory(count: count)) }
      trainer.strategy.withParameters { share.parameters.copy($0, to: &values, at: parametersPlace) }
      for (index, place) in momentPlaces.enumerated() {
        trainer.optimizer.withState(index) {
          share.moments.copy($0, origin: share.momentOrigin, to: &values, at: place)
        }
      }
      if trainer.best.count > 0 { share.parameters.copy(trainer.best, to: &values, at: bestPlace) }
    }
  }

  /// Writes the rank's share of a file.
  func write(_ kind: CheckpointContents.Kind, with writer: SafetensorsWriter) throws(DataError) {
    try values.withLock { (values) throws(DataError) in
      switch kind {
      case .parameters: try writer.write(values, packed.parameters, origin: -parametersPlace)
      case .best: try writer.write(values, packed.parameters, origin: -bestPlace)
      case .moments:
        for (index, place) in momentPlaces.enumerated() {
          try writer.write(values, packed.moments, origin: -place, fromTensor: index * packed.tensors)
        }
      }
    }
  }
}
