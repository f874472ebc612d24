public import Kernels

/// How the ranks share the work of a step. The trainer's loop is the same for every strategy.
///
/// Every method that is marked as collective is called by all ranks in the same order.
public protocol ParallelStrategy: AnyObject {
  /// Computes the gradient of the rows at `positions` of `epoch`, summed over the rows, and adds it over all ranks.
  ///
  /// Collective. `raised` carries this rank's flags; the result carries those of all.
  /// - Throws: `StepFailure` on every rank where some rank cannot read its rows, `MPIError` where the ranks cannot be reached.
  func sumGradient(epoch: Int, positions: Range<Int>, raised: StepTotals) throws -> StepTotals

  /// Whether the summed gradient has neither infinities nor NaN; the same answer on every rank.
  var isGradientFinite: Bool { get }

  /// The Euclidean norm of the summed gradient; the same bits on every rank.
  func gradientNorm() -> Double

  /// Lets `body` update the parameters in `range` from the summed gradient, then makes the parameters known to whoever needs them.
  ///
  /// Collective.
  func update(_ body: (_ parameters: inout FloatBuffer, _ gradient: borrowing FloatBuffer, _ range: Range<Int>) -> Void)
    throws

  /// Gives `body` the parameters to read.
  func withParameters<Result>(_ body: (borrowing FloatBuffer) throws -> Result) rethrows -> Result

  /// Lets `body` replace the parameters, with the same values on every rank.
  func replaceParameters(_ body: (inout FloatBuffer) throws -> Void) rethrows

  /// Seconds that this rank has spent reading its rows, so far.
  var secondsReading: Double { get }

  /// Seconds that this rank has spent in the reduction, so far.
  var secondsReducing: Double { get }
}
