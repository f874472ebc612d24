import Kernels
import MPI

/// Features in blocks of rows, which are dealt to the ranks in turn: block `b` goes to rank `b` modulo the number of ranks.
protocol FeatureBlocks: AnyObject {
  /// Whether the last round is over; the same on every rank.
  var isFinished: Bool { get }

  /// Which rows of this rank's last block are not to be predicted, because the preparation of the training data, or the policy for
  /// numbers that are not finite, leaves such rows out; empty where all are.
  var leftOut: [Bool] { get }

  /// Puts this rank's block of the next round at the start of `features`, as the model wants them, and returns how many rows
  /// it has: none where the data have ended. Collective.
  ///
  /// - Throws: `DataError` where this rank alone fails on its block.
  func next(into features: inout FloatBuffer, _ world: borrowing Communicator) throws -> Int
}
