import Failures
import MPI
import Parallel
import Watch

/// Judges the model of a strategy on old and on new rows.
final class ModelJudge<Strategy: ParallelStrategy> {
  typealias Rows = Validator<Strategy.RowScorer>

  private let strategy: Strategy
  private let old: Rows?
  private let new: Rows

  init(_ strategy: Strategy, old: Rows?, new: Rows) {
    self.strategy = strategy
    self.old = old
    self.new = new
  }

  /// The metrics of the parameters as they are. Collective; the same on every rank.
  func judge() throws -> (old: Metrics?, new: Metrics) {
    try Pulse.during(.evaluation) {
      try strategy.withParameters { (try old?.evaluate($0), try new.evaluate($0)) }
    }
  }
}
