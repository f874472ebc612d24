import Data
public import Kernels
import MPI
public import Model

/// Scores under a model whose layers are on the ranks of a grid: rows go from stage to stage.
public final class GridScorer: Scorer {
  private static let tag = 3

  private let stage: Stage
  private let grid: ProcessGrid
  private let exchange: StageExchange
  /// Rows on their way to this rank; nil on those that begin with features of their own.
  private let input: RowParcel?
  private let workspace: Workspace
  /// The workspace itself, unless a row's scores are split among ranks.
  public let scores: Workspace

  /// - Parameter rows: the most rows of a call.
  init(_ stage: Stage, of model: Model, grid: ProcessGrid, exchange: StageExchange, rows: Int) {
    self.stage = stage
    self.grid = grid
    self.exchange = exchange
    let begins = stage.isFirst && stage.tensor.count == 1
    input = begins ? nil : RowParcel(rows: rows, columns: stage.inputs)
    let workspace = Workspace(stage, rows: rows)
    self.workspace = workspace
    scores = stage.isLast && stage.tensor.count > 1 ? Workspace(scoresOf: model, rows: rows) : workspace
  }

  public var place: GridPlace { grid.place }

  /// A stage goes on with other rows as soon as the next stage has taken these.
  public func score(parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, _ view: MatrixView) throws {
    if let input {
      try fill(input, features, view)
      let received = MatrixView(rows: view.rows, columns: stage.inputs)
      try stage.forward(
        parameters: parameters, inputs: input.rows, received, workspace: workspace, exchange: exchange)
    } else {
      try stage.forward(parameters: parameters, inputs: features, view, workspace: workspace, exchange: exchange)
    }
    if !stage.isLast {
      try grid.model.send(
        workspace.outputs, count: view.rows * stage.outputs, to: place.modelIndex + place.tensor.count, tag: Self.tag)
    } else if scores !== workspace {
      try stage.copyOutputs(of: workspace, to: scores, exchange: exchange)
    }
  }

  /// Brings the rows here: from the stage before, or, on the first, from the one rank that reads them.
  private func fill(_ input: RowParcel, _ features: borrowing FloatBuffer, _ view: MatrixView) throws(MPIError) {
    let count = view.rows * stage.inputs
    if stage.isFirst {
      if reads.contains(.features) { input.rows.copy(from: features, range: view.offset..<view.end) }
      try grid.tensor.broadcast(&input.rows, count: count, root: 0)
    } else {
      try input.receive(count, from: place.modelIndex - place.tensor.count, tag: Self.tag, over: grid.model)
      try input.wait()
    }
  }
}
