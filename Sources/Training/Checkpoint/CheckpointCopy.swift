import Data
import Files
import Kernels
import Optimization
import Parallel

/// What a rank writes of a checkpoint, copied, so that the training goes on while it is written.
///
/// The parameters lie first, then each moment, then the best parameters.
struct CheckpointCopy: Sendable {
  private let share: ModelShare
  /// The same elements, where they are in the copy.
  private let packed: ModelShare
  private let moments: Int
  private let count: Int
  /// Made for the first checkpoint.
  private let values = Monitor(FloatBuffer(count: 0))

  /// - Parameters:
  ///   - moments: how many the optimizer has.
  ///   - keepsBest: the parameters of the best validation are part of it.
  init(_ share: ModelShare, moments: Int, keepsBest: Bool) {
    self.share = share
    self.moments = moments
    packed = ModelShare(
      parameters: share.parameters.packed, moments: share.moments.packed, momentOrigin: 0, tensors: share.tensors)
    let parameters = share.parameters.elementCount * (keepsBest ? 2 : 1)
    count = parameters + moments * share.moments.elementCount
  }

  /// Copies what `trainer` holds now; waits for whoever still writes what it held before.
  func take<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) {
    values.withLock { values in
      values.reserve(count)
      trainer.strategy.withParameters { share.parameters.copy($0, to: &values, at: 0) }
      for index in 0..<moments {
        trainer.optimizer.withState(index) {
          share.moments.copy($0, origin: share.momentOrigin, to: &values, at: place(ofMoment: index))
        }
      }
      if trainer.best.count > 0 { share.parameters.copy(trainer.best, to: &values, at: place(ofMoment: moments)) }
    }
  }

  /// Writes the rank's share of a file.
  func write(_ kind: CheckpointContents.Kind, with writer: SafetensorsWriter) throws(DataError) {
    try values.withLock { (values) throws(DataError) in
      switch kind {
      case .parameters: try writer.write(values, packed.parameters)
      case .best: try writer.write(values, packed.parameters, origin: -place(ofMoment: moments))
      case .moments:
        for index in 0..<moments {
          try writer.write(
            values, packed.moments, origin: -place(ofMoment: index), fromTensor: index * packed.tensors)
        }
      }
    }
  }

  private func place(ofMoment index: Int) -> Int {
    packed.parameters.elementCount + index * packed.moments.elementCount
  }
}
