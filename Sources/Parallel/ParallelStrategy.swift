public import Data
public import Kernels
public import Model

/// How the ranks share the work of a step. The trainer's loop is the same for every strategy.
///
/// Every method that is marked as collective is called by all ranks in the same order.
public protocol ParallelStrategy: AnyObject {
  associatedtype RowScorer: Scorer

  /// Where this rank stands among all.
  var place: GridPlace { get }

  /// The parameters that this rank holds, from 0.
  var layout: ParameterLayout { get }

  /// Those of them that this rank updates, and keeps the optimizer's state for.
  var owned: Range<Int> { get }

  /// Whether ranks that hold the same parameters update a part each.
  var splitsUpdate: Bool { get }

  /// Computes the gradient of the rows at `positions` of `epoch`, summed over the rows, and adds it over all ranks.
  ///
  /// Collective. `raised` carries this rank's flags; the result carries those of all.
  /// - Parameter needsNorm: `gradientNorm` or `isGradientFinite` will be asked for; the same on every rank.
  /// - Throws: `StepFailure` on every rank where some rank cannot read its rows, `MPIError` where the ranks cannot be reached.
  func sumGradient(epoch: Int, positions: Range<Int>, raised: StepTotals, needsNorm: Bool) throws -> StepTotals

  /// Whether the summed gradient has neither infinities nor NaN; the same answer on every rank. After a `sumGradient` that was told.
  var isGradientFinite: Bool { get }

  /// The Euclidean norm of the summed gradient of all parameters; the same bits on every rank. After a `sumGradient` that was told.
  func gradientNorm() -> Double

  /// Lets `body` update the parameters that are owned, range by range and each once, from the summed gradient, then makes them known to
  /// whoever needs them.
  ///
  /// Collective.
  /// - Returns: whether the summed gradient is finite, the same on every rank. Where it is not nothing is updated, if `sumGradient` was
  ///   told that somebody would ask; if not, the parameters may be of no more use: sum and update are then one pass.
  func update(_ body: (_ parameters: inout FloatBuffer, _ gradient: borrowing FloatBuffer, _ range: Range<Int>) -> Void)
    throws -> Bool

  /// Gives `body` the parameters and the rows at `positions` of `epoch`, in their order, for steps that it makes by itself; nil, and
  /// nothing is done, where other ranks take part in a step or the model has more than one output.
  /// - Throws: `DataError` where the rows cannot be read.
  func withOwnRows<Result>(
    epoch: Int, positions: Range<Int>,
    _ body: (
      _ model: Model, _ parameters: inout FloatBuffer, _ features: borrowing FloatBuffer, _ rows: RowSelection,
      _ targets: borrowing FloatBuffer
    ) -> Result
  ) throws -> Result?
  /// Gives `body` the parameters that this rank holds to read.
  func withParameters<Result>(_ body: (borrowing FloatBuffer) throws -> Result) rethrows -> Result

  /// Lets `body` replace the parameters that this rank holds, with the same values on every rank that holds them. Collective.
  func replaceParameters(_ body: (inout FloatBuffer) throws -> Void) rethrows

  /// The largest `code` of any rank, for what only some ranks can see. Collective.
  func highest(_ code: Int) throws -> Int

  /// Makes what scores rows under the parameters. Collective.
  /// - Parameter rows: the most rows of a call.
  func makeScorer(rows: Int) throws -> RowScorer

  /// Seconds that this rank has spent reading its rows, so far, also beside the training.
  var secondsReading: Double { get }

  /// Seconds for which this rank has stood still until its rows were there, so far.
  var secondsAwaitingRows: Double { get }

  /// Seconds that this rank has spent in the reduction, so far.
  var secondsReducing: Double { get }

  /// Seconds that this rank has spent waiting for what other stages send it, so far.
  var secondsWaiting: Double { get }
}

extension ParallelStrategy {
  public func withOwnRows<Result>(
    epoch: Int, positions: Range<Int>,
    _ body: (
      _ model: Model, _ parameters: inout FloatBuffer, _ features: borrowing FloatBuffer, _ rows: RowSelection,
      _ targets: borrowing FloatBuffer
    ) -> Result
  ) throws -> Result? { nil }

  /// Which parts of rows this rank reads.
  public var reads: RowParts { place.reads }
}
