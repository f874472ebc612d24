import Kernels

/// Features in blocks of rows that follow each other. Some blocks make a group, and the groups are dealt to the ranks in turn: a round is one
/// group of each rank, in the order of the ranks.
protocol FeatureBlocks: AnyObject {
  /// Whether the last round is over; the same on every rank.
  var isFinished: Bool { get }

  /// Goes on to this rank's group of the next round.
  func beginRound() throws

  /// Puts the next block of the group at the start of `features`, as the model wants them, and returns how many rows it has: none at the
  /// end of the group.
  func next(into features: inout FloatBuffer) throws -> Int

  /// The number of the first row of the last block in the data.
  var firstRow: Int { get }

  /// Which rows of the last block are not to be predicted, because the preparation of the training data, or the policy for
  /// numbers that are not finite, leaves such rows out; empty where all are.
  var leftOut: [Bool] { get }
}
