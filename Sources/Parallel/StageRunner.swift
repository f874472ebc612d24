import Kernels
import MPI
import Model

/// Runs micro-batches through one stage of a pipeline: takes rows from the stage before, hands them to the stage behind, and brings the
/// gradients back.
///
/// Receives are posted before they are needed and sends go on while this stage computes. Micro-batches are numbered from 0 in each step,
/// and their forward passes are in order, and so are their backward passes.
final class StageRunner {
  private static let forwardTag = 1
  private static let backwardTag = 2

  let stage: Stage
  private let grid: ProcessGrid
  private let exchange: StageExchange
  /// The neighbours among the ranks of the model; nil at the ends of the pipeline.
  private let before: Int?
  private let behind: Int?
  /// One for each micro-batch under way.
  private let workspaces: [Workspace]
  /// The rows of each micro-batch under way, needed until its backward pass, and of one that is on its way.
  private let inputs: [RowParcel]
  private let outgoing: [RowParcel]
  private let incomingGradients: [RowParcel]
  private let outgoingGradients: [RowParcel]
  private var rows: [Int] = []
  private var secondsInMessages = 0.0

  /// - Parameter capacity: the most rows of a micro-batch.
  init(_ stage: Stage, grid: ProcessGrid, exchange: StageExchange, capacity: Int) {
    let place = grid.place
    self.stage = stage
    self.grid = grid
    self.exchange = exchange
    before = place.pipeline.isFirst ? nil : place.modelIndex - place.tensor.count
    behind = place.pipeline.isLast ? nil : place.modelIndex + place.tensor.count
    workspaces = (0..<Self.depth(place)).map { _ in Workspace(stage, rows: capacity) }
    let counts = Self.parcels(place)
    func parcels(_ count: Int, columns: Int) -> [RowParcel] {
      (0..<count).map { _ in RowParcel(rows: capacity, columns: columns) }
    }
    inputs = parcels(counts.inputs, columns: stage.inputs)
    outgoing = parcels(counts.forward, columns: stage.outputs)
    incomingGradients = parcels(counts.forward, columns: stage.outputs)
    outgoingGradients = parcels(counts.backward, columns: stage.inputs)
  }

  /// The buffers of rows at `place`: inputs, one for each micro-batch under way and one on its way; outputs and their gradients; gradients
  /// of the inputs.
  static func parcels(_ place: GridPlace) -> (inputs: Int, forward: Int, backward: Int) {
    let depth = depth(place)
    return (
      inputs: place.pipeline.isFirst ? depth : depth + 1, forward: place.pipeline.isLast ? 0 : 2,
      backward: place.pipeline.isFirst ? 0 : 2
    )
  }

  /// The most micro-batches under way at `place`.
  static func depth(_ place: GridPlace) -> Int { place.pipeline.count - place.pipeline.index }

  /// A step of micro-batches with so many rows each begins.
  func begin(_ rows: [Int]) throws(MPIError) {
    self.rows = rows
    for batch in inputs.indices { try receiveInputs(of: batch) }
    for batch in incomingGradients.indices { try receiveGradient(of: batch) }
  }

  /// Returns when everything that this stage has sent is under way for good.
  func end() throws(MPIError) {
    for parcel in outgoing { try wait(for: parcel) }
    for parcel in outgoingGradients { try wait(for: parcel) }
  }

  var secondsWaiting: Double { secondsInMessages + exchange.seconds }

  /// Where the features of a micro-batch are to be put, on the first stage, before its forward pass.
  func inputs(of batch: Int) -> RowParcel { inputs[batch % inputs.count] }

  private func workspace(of batch: Int) -> Workspace { workspaces[batch % workspaces.count] }

  func forward(_ batch: Int, parameters: borrowing FloatBuffer) throws(MPIError) {
    let (input, workspace) = (inputs(of: batch), workspace(of: batch))
    if before != nil { try wait(for: input) }
    try stage.forward(
      parameters: parameters, inputs: input.rows, view(batch), workspace: workspace, exchange: exchange)
    guard let behind else { return }
    let parcel = outgoing[batch % outgoing.count]
    try wait(for: parcel)
    let count = rows[batch] * stage.outputs
    parcel.rows.copy(from: workspace.outputs, range: 0..<count)
    try parcel.send(count, to: behind, tag: Self.forwardTag, over: grid.model)
  }

  /// The sum of the losses of a micro-batch; on the last stage, between its passes. That of all parts is the sum of what they give.
  func lossSum(_ batch: Int, targets: borrowing FloatBuffer) throws(MPIError) -> Double {
    try stage.lossSum(workspace(of: batch), targets: targets, at: 0, exchange: exchange)
  }

  /// On the last stage after the loss has left its gradient in the workspace.
  func backward(
    _ batch: Int, parameters: borrowing FloatBuffer, gradient: inout FloatBuffer, at offset: Int, accumulate: Bool
  ) throws(MPIError) {
    let workspace = workspace(of: batch)
    if behind != nil {
      let parcel = incomingGradients[batch % incomingGradients.count]
      try wait(for: parcel)
      swap(&parcel.rows, &workspace.outputGradient)
      try receiveGradient(of: batch + incomingGradients.count)
    }
    try stage.backward(
      parameters: parameters, inputs: inputs(of: batch).rows, view(batch), workspace: workspace, gradient: &gradient,
      gradientOffset: offset, accumulate: accumulate, exchange: exchange)
    guard let before else { return }
    // The rows of this micro-batch are of no more use: another may take their place.
    try receiveInputs(of: batch + inputs.count)
    let parcel = outgoingGradients[batch % outgoingGradients.count]
    try wait(for: parcel)
    swap(&parcel.rows, &workspace.inputGradient)
    try parcel.send(rows[batch] * stage.inputs, to: before, tag: Self.backwardTag, over: grid.model)
  }

  private func view(_ batch: Int) -> MatrixView { MatrixView(rows: rows[batch], columns: stage.inputs) }

  private func receiveInputs(of batch: Int) throws(MPIError) {
    guard let before, batch < rows.count else { return }
    try inputs(of: batch).receive(rows[batch] * stage.inputs, from: before, tag: Self.forwardTag, over: grid.model)
  }

  private func receiveGradient(of batch: Int) throws(MPIError) {
    guard let behind, batch < rows.count else { return }
    try incomingGradients[batch % incomingGradients.count].receive(
      rows[batch] * stage.outputs, from: behind, tag: Self.backwardTag, over: grid.model)
  }

  private func wait(for parcel: RowParcel) throws(MPIError) {
    let start = ContinuousClock.now
    try parcel.wait()
    secondsInMessages += (ContinuousClock.now - start) / .seconds(1)
  }
}
