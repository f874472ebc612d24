import Data
import Kernels
import Model

/// The elements of the model, and of its optimizer's moments, that one rank writes into files that all ranks write together.
struct ModelShare: Sendable {
  /// Of the parameters.
  let parameters: [TensorRun]
  /// Of each moment.
  let moments: [TensorRun]
  /// Where the moments that the rank keeps begin in its layout.
  let momentOrigin: Int
  /// The first element of each tensor of the whole model among all of them, and the number of those.
  let starts: [Int]

  /// Tensors of the whole model.
  var tensors: Int { starts.count - 1 }

  /// Writes the share of the parameters.
  func write(_ values: borrowing FloatBuffer, with writer: SafetensorsWriter) throws(DataError) {
    try writer.write(values, parameters)
  }

  /// Writes the share of the moment with the number `index`; the file holds all moments one behind the other.
  func write(moment index: Int, _ state: borrowing FloatBuffer, with writer: SafetensorsWriter) throws(DataError) {
    try writer.write(state, moments, origin: momentOrigin, fromTensor: index * tensors)
  }
}

extension [TensorRun] {
  /// Elements of all runs.
  var elementCount: Int { reduce(0) { $0 + $1.local.count } }
}

extension ModelShare {
  /// - Parameter whole: the layout of all layers.
  init(parameters: [TensorRun], moments: [TensorRun], momentOrigin: Int, whole: ParameterLayout) {
    self.init(
      parameters: parameters, moments: moments, momentOrigin: momentOrigin,
      starts: whole.entries.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.shape.reduce(1, *)) })
  }
}
