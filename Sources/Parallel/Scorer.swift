public import Data
public import Kernels
public import Model

/// What rows score under a model that one rank or several hold.
///
/// All ranks that hold one copy of the model call `score` for the same rows in the same order.
public protocol Scorer: AnyObject {
  /// Where this rank stands; the rows that it sees are those of the virtual ranks of its data index.
  var place: GridPlace { get }

  /// The scores of the last rows, as `Model.lossSum` and `Workspace.outputs` have them; only on ranks that read targets.
  var scores: Workspace { get }

  /// Runs rows through the model.
  ///
  /// - Parameters:
  ///   - parameters: those that this rank holds.
  ///   - features: not looked at on ranks that do not read features. A rank that reads them and cannot calls all the same, with any
  ///     numbers, for otherwise the others would wait.
  ///   - view: where the rows are; not looked at elsewhere.
  /// - Returns: the rows that were scored, as many as the rank that reads features gave.
  func score(parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, _ view: MatrixView) throws -> Int
}

extension Scorer {
  /// Which parts of rows this rank reads.
  public var reads: RowParts { place.reads }
}

/// Scores under a model that this rank holds alone.
public final class LocalScorer: Scorer {
  public let place: GridPlace
  public let scores: Workspace
  private let model: Model

  /// - Parameters:
  ///   - rows: the most rows of a call.
  ///   - rank: this rank, among `ranks` which each hold the model.
  public init(_ model: Model, rows: Int, rank: Int = 0, ranks: Int = 1) {
    self.model = model
    place = GridShape(data: ranks).place(rank)
    scores = Workspace(model, rows: rows)
  }

  public func score(parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, _ view: MatrixView) -> Int {
    if view.rows > 0 { model.forward(parameters: parameters, features: features, view: view, workspace: scores) }
    return view.rows
  }
}
