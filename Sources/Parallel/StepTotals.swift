public import Kernels

/// What all ranks learn from the one reduction of a step, beside the gradient.
///
/// It travels behind the gradient as floats, so no rank decides anything alone. Loss and count are each carried as two floats whose sum
/// is exact enough: a float alone would lose the count of a batch of more than 2²⁴ rows.
public struct StepTotals: Sendable {
  /// The sum of the losses of the rows of the batch, penalties left out.
  public var lossSum: Double
  /// The rows of the batch.
  public var rows: Int
  /// Some rank was asked to stop.
  public var stop: Bool
  /// The clock of rank 0 says that a checkpoint is due.
  public var save: Bool
  /// Some rank still writes its part of a checkpoint that is under way.
  public var writing: Bool
  /// Some rank could not do its part, so that the sum is of no use.
  public var failed: Bool

  public init(
    lossSum: Double = 0, rows: Int = 0, stop: Bool = false, save: Bool = false, failed: Bool = false,
    writing: Bool = false
  ) {
    self.lossSum = lossSum
    self.rows = rows
    self.stop = stop
    self.save = save
    self.failed = failed
    self.writing = writing
  }

  /// The flags alone.
  var flags: StepTotals {
    var flags = self
    flags.lossSum = 0
    flags.rows = 0
    return flags
  }

  /// Takes on the flags of `other`.
  mutating func raise(_ other: StepTotals) {
    stop = stop || other.stop
    save = save || other.save
    failed = failed || other.failed
    writing = writing || other.writing
  }

  /// The floats that one `StepTotals` takes behind a gradient.
  public static let width = 8

  /// The mean loss of the batch.
  public var loss: Double { lossSum / Double(rows) }

  private static let countBase = 1 << 12

  /// Writes the totals to `buffer[offset ..< offset + width]`.
  public func store(into buffer: inout FloatBuffer, at offset: Int) {
    let lossHigh = Float(lossSum)
    buffer[offset] = lossHigh
    buffer[offset + 1] = lossHigh.isFinite ? Float(lossSum - Double(lossHigh)) : 0
    buffer[offset + 2] = Float(rows / Self.countBase)
    buffer[offset + 3] = Float(rows % Self.countBase)
    buffer[offset + 4] = stop ? 1 : 0
    buffer[offset + 5] = save ? 1 : 0
    buffer[offset + 6] = failed ? 1 : 0
    buffer[offset + 7] = writing ? 1 : 0
  }

  /// Reads totals that were stored by `store(into:at:)` and summed over ranks.
  public init(from buffer: borrowing FloatBuffer, at offset: Int) {
    self.init(
      lossSum: Double(buffer[offset]) + Double(buffer[offset + 1]),
      rows: Int(buffer[offset + 2]) * Self.countBase + Int(buffer[offset + 3]),
      stop: buffer[offset + 4] > 0,
      save: buffer[offset + 5] > 0,
      failed: buffer[offset + 6] > 0,
      writing: buffer[offset + 7] > 0)
  }
}
