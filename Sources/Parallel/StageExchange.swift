import Kernels
import MPI
import Model

/// The tensor exchange of a stage that also pushes on the messages between stages: the library has no thread that would, so that they
/// move only inside its calls.
final class StageExchange: LayerExchange {
  typealias Failure = MPIError

  private let grid: ProcessGrid
  private let exchange: TensorExchange
  private let isPipelined: Bool

  /// Collective.
  init(_ grid: ProcessGrid) throws(MPIError) {
    self.grid = grid
    exchange = try TensorExchange(group: grid.tensor)
    isPipelined = grid.shape.pipeline > 1
  }

  var place: TensorPlace { exchange.place }
  var seconds: Double { exchange.secondsExchanging }

  func sum(_ buffer: inout FloatBuffer, count: Int) throws(MPIError) { try exchange.sum(&buffer, count: count) }

  func gather(_ buffer: inout FloatBuffer, units: Int, width: Int) throws(MPIError) {
    try exchange.gather(&buffer, units: units, width: width)
  }

  /// Looking for a message lets the library carry on with all.
  func layerDone() throws(MPIError) {
    if isPipelined { _ = try grid.model.waitingMessage(tag: Communicator.maximumTag) }
  }
}
