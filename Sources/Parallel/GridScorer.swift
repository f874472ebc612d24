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
  /// Rows that have come to this rank; none on those that begin with features of their own.
  private var input: FloatBuffer
  private let begins: Bool
  private let workspace: Workspace
  /// The workspace itself, unless a row's scores are split among ranks.
  public let scores: Workspace

  /// - Parameter rows: the most rows of a call.
  init(_ stage: Stage, of model: Model, grid: ProcessGrid, exchange: StageExchange, rows: Int) {
    self.stage = stage
    self.grid = grid
    self.exchange = exchange
    begins = stage.isFirst && stage.tensor.count == 1
    input = FloatBuffer(count: begins ? 0 : rows * stage.inputs)
    let workspace = Workspace(stage, rows: rows)
    self.workspace = workspace
    scores = stage.isLast && stage.tensor.count > 1 ? Workspace(scoresOf: model, rows: rows) : workspace
  }

  public var place: GridPlace { grid.place }

  /// A stage goes on with other rows as soon as the next stage has taken these.
  public func score(
    parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, _ view: MatrixView
  ) throws -> Int {
    let rows = begins ? view.rows : try fill(features, view)
    if rows > 0 {
      if begins {
        try stage.forward(
          parameters: parameters, inputs: features, .matrix(view), workspace: workspace, exchange: exchange)
      } else {
        try stage.forward(
          parameters: parameters, inputs: input, .matrix(MatrixView(rows: rows, columns: stage.inputs)),
          workspace: workspace, exchange: exchange)
      }
    }
    if !stage.isLast {
      try grid.model.send(
        workspace.outputs, count: rows * stage.outputs, to: place.modelIndex + place.tensor.count, tag: Self.tag)
    } else if scores !== workspace, rows > 0 {
      try stage.copyOutputs(of: workspace, to: scores, exchange: exchange)
    }
    return rows
  }

  /// Brings the rows here: from the stage before, or, on the first, from the one rank that reads them. Returns how many there are.
  private func fill(_ features: borrowing FloatBuffer, _ view: MatrixView) throws(MPIError) -> Int {
    guard stage.isFirst else {
      let sender = place.modelIndex - place.tensor.count
      return try grid.model.receive(into: &input, from: sender, tag: Self.tag) / stage.inputs
    }
    let rows = try grid.tensor.broadcast([view.rows], root: 0)[0]
    if reads.contains(.features) { input.copy(from: features, range: view.offset..<view.end) }
    try grid.tensor.broadcast(&input, count: rows * stage.inputs, root: 0)
    return rows
  }
}
