import Kernels
import MPI
import Model

/// Runs micro-batches through one stage of a pipeline: takes rows from the stage before, hands them to the stage behind, and brings the
/// gradients back.
///
/// Receives are posted before they are needed and sends go on while this stage computes. Micro-batches are numbered from 0 in each step,
/// and their forward passes are in order, and so are their backward passes.
///
/// Where rows may be left out, the number of those that are left travels behind the rows themselves.
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
  /// The rows of each micro-batch, and of those the ones that were not left out, known from its forward pass on.
  private var rows: [Int] = []
  private var left: [Int] = []
  private let leavesRowsOut: Bool
  private var secondsInMessages = 0.0

  /// - Parameters:
  ///   - capacity: the most rows of a micro-batch.
  ///   - leavesRowsOut: micro-batches may have fewer rows than they were to have.
  init(_ stage: Stage, grid: ProcessGrid, exchange: StageExchange, capacity: Int, leavesRowsOut: Bool) {
    let place = grid.place
    self.stage = stage
    self.grid = grid
    self.exchange = exchange
    self.leavesRowsOut = leavesRowsOut
    before = place.pipeline.isFirst ? nil : place.modelIndex - place.tensor.count
    behind = place.pipeline.isLast ? nil : place.modelIndex + place.tensor.count
    workspaces = (0..<Self.depth(place)).map { _ in Workspace(stage, rows: capacity) }
    let counts = Self.parcels(place)
    func parcels(_ count: Int, columns: Int, extra: Int = 0) -> [RowParcel] {
      (0..<count).map { _ in RowParcel(floats: capacity * columns + extra) }
    }
    inputs = parcels(counts.inputs, columns: stage.inputs, extra: 1)
    outgoing = parcels(counts.forward, columns: stage.outputs, extra: 1)
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
    left = rows
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

  /// The rows of a micro-batch that were not left out.
  func rowsLeft(of batch: Int) -> Int { left[batch] }

  /// Says how many rows of a micro-batch are left, where its features were put.
  func leave(_ count: Int, of batch: Int) {
    left[batch] = count
    guard leavesRowsOut else { return }
    inputs(of: batch).rows[rows[batch] * stage.inputs] = Float(count)
  }

  /// Brings what the first part of the first stage has put there to the others.
  func spreadInputs(of batch: Int) throws(MPIError) {
    let parcel = inputs(of: batch)
    try grid.tensor.broadcast(&parcel.rows, count: length(rows[batch] * stage.inputs), root: 0)
    takeCount(of: batch)
  }

  /// Floats of a message of `count`, with the number of rows behind it where it is not known before.
  private func length(_ count: Int) -> Int { leavesRowsOut ? count + 1 : count }

  private func takeCount(of batch: Int) {
    guard leavesRowsOut else { return }
    // A message of a rank that has failed may hold anything.
    left[batch] =
      Int(exactly: inputs(of: batch).rows[rows[batch] * stage.inputs]).map { min(max($0, 0), rows[batch]) } ?? 0
  }

  private func workspace(of batch: Int) -> Workspace { workspaces[batch % workspaces.count] }

  func forward(_ batch: Int, parameters: borrowing FloatBuffer) throws(MPIError) {
    let (input, workspace) = (inputs(of: batch), workspace(of: batch))
    if before != nil {
      try wait(for: input)
      takeCount(of: batch)
    }
    if left[batch] > 0 {
      try stage.forward(
        parameters: parameters, inputs: input.rows, .matrix(view(batch)), workspace: workspace, exchange: exchange)
    }
    guard let behind else { return }
    let parcel = outgoing[batch % outgoing.count]
    try wait(for: parcel)
    let count = rows[batch] * stage.outputs
    parcel.rows.copy(from: workspace.outputs, range: 0..<left[batch] * stage.outputs)
    if leavesRowsOut { parcel.rows[count] = Float(left[batch]) }
    try parcel.send(length(count), to: behind, tag: Self.forwardTag, over: grid.model)
  }

  /// The sum of the losses of a micro-batch; on the last stage, between its passes. That of all parts is the sum of what they give.
  func lossSum(_ batch: Int, targets: borrowing FloatBuffer) throws(MPIError) -> Double {
    guard left[batch] > 0 else { return 0 }
    return try stage.lossSum(workspace(of: batch), targets: targets, at: 0, exchange: exchange)
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
    if left[batch] > 0 {
      try stage.backward(
        parameters: parameters, inputs: inputs(of: batch).rows, .matrix(view(batch)), workspace: workspace,
        gradient: &gradient, gradientOffset: offset, accumulate: accumulate, exchange: exchange)
    }
    guard let before else { return }
    // The rows of this micro-batch are of no more use: another may take their place.
    try receiveInputs(of: batch + inputs.count)
    let parcel = outgoingGradients[batch % outgoingGradients.count]
    try wait(for: parcel)
    swap(&parcel.rows, &workspace.inputGradient)
    try parcel.send(rows[batch] * stage.inputs, to: before, tag: Self.backwardTag, over: grid.model)
  }

  private func view(_ batch: Int) -> MatrixView { MatrixView(rows: left[batch], columns: stage.inputs) }

  private func receiveInputs(of batch: Int) throws(MPIError) {
    guard let before, batch < rows.count else { return }
    try inputs(of: batch).receive(
      length(rows[batch] * stage.inputs), from: before, tag: Self.forwardTag, over: grid.model)
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
