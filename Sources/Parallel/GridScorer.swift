public import Kernels
import MPI
public import Model

/// Scores under a model whose layers are on the ranks of a grid: rows go from stage to stage.
public final class GridScorer: Scorer {
  private static let tag = 3

  private let stage: Stage
  private let grid: ProcessGrid
  private let input: RowParcel?
  public let scores: Workspace

  /// - Parameter rows: the most rows of a call.
  init(_ stage: Stage, grid: ProcessGrid, rows: Int) {
    self.stage = stage
    self.grid = grid
    scores = Workspace(stage, rows: rows)
    input = grid.place.pipeline.isFirst ? nil : RowParcel(rows: rows, columns: stage.inputs)
  }

  public var place: GridPlace { grid.place }

  /// A stage goes on with other rows as soon as the next stage has taken these.
  public func score(parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, _ view: MatrixView) throws {
    let inputs = view.rows * stage.inputs
    if let input {
      try input.receive(inputs, from: place.modelIndex - place.tensor.count, tag: Self.tag, over: grid.model)
      try input.wait()
      let received = MatrixView(rows: view.rows, columns: stage.inputs)
      stage.forward(parameters: parameters, inputs: input.rows, received, workspace: scores)
    } else {
      stage.forward(parameters: parameters, inputs: features, view, workspace: scores)
    }
    guard !place.pipeline.isLast else { return }
    try grid.model.send(
      scores.outputs, count: view.rows * stage.outputs, to: place.modelIndex + place.tensor.count, tag: Self.tag)
  }
}
