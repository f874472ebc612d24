import Data
import Kernels

extension BatchReader {
  /// Calls `body` with the rows of a pass of `summand`; see `withBatch`.
  func withPass<Result>(
    _ slots: ShortList<Range<Int>>, of summand: Summand, epoch: Int,
    _ body: (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Result
  ) throws -> Result {
    let first = summand.virtualRanks.lowerBound
    // A reader of several virtual ranks reads them together, or one of them alone.
    guard summand.virtualRanks == virtualRanks else {
      return try withBatch(virtualRank: first, epoch: epoch, slots: slots[0], body)
    }
    return try withBatch(epoch: epoch, slots: { slots[$0 - first] }, body)
  }

  /// Calls `body` with the rows of a pass of `summand` where they lie; see `withRows`.
  func withRows<Result>(
    _ slots: ShortList<Range<Int>>, of summand: Summand, epoch: Int,
    _ body: (borrowing FloatBuffer, RowSelection, borrowing FloatBuffer) throws -> Result
  ) throws -> Result {
    guard summand.virtualRanks.count == 1 else {
      return try withPass(slots, of: summand, epoch: epoch) { features, view, targets, _ in
        try body(features, RowSelection(view), targets)
      }
    }
    return try withRows(virtualRank: summand.virtualRanks.lowerBound, epoch: epoch, slots: slots[0], body)
  }
}
