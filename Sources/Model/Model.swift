public import Kernels

/// A model: kind, sizes, activation and loss. Its parameters live in a flat buffer that the caller owns.
public struct Model: Sendable {
  public let kind: ModelKind
  /// Inputs, hidden..., outputs.
  public let sizes: [Int]
  /// Between layers; without meaning for a single layer.
  public let activation: Activation
  public let loss: Loss
  /// All layers.
  public let stage: Stage

  /// Where each tensor stands.
  public var layout: ParameterLayout { stage.layout }
  public var inputs: Int { sizes[0] }
  public var outputs: Int { sizes[sizes.count - 1] }
  /// How many layers there are.
  public var depth: Int { sizes.count - 1 }
  /// What the targets of a row are.
  public var targetMeaning: Loss.TargetMeaning { loss.targetMeaning(outputs: outputs) }
  /// How many floats the targets of a row take.
  public var targetsPerRow: Int { loss.targetsPerRow(outputs: outputs) }

  /// Makes a model without parameters.
  /// - Throws: `ModelError` where sizes, kind and loss do not go together.
  public init(kind: ModelKind, sizes: [Int], activation: Activation = .relu, loss: Loss) throws(ModelError) {
    guard sizes.count >= 2 else { throw ModelError("a model needs inputs and outputs") }
    if let size = sizes.first(where: { $0 < 1 || $0 > Int(Int32.max) }) {
      throw ModelError("a layer cannot have \(size) elements")
    }
    if kind.hasHiddenLayers {
      guard sizes.count >= 3 else { throw ModelError("a model of kind \"\(kind.rawValue)\" needs hidden layers") }
    } else {
      guard sizes.count == 2 else { throw ModelError("a model of kind \"\(kind.rawValue)\" has no hidden layers") }
    }
    guard kind.losses.contains(loss) else {
      let legal = kind.losses.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw ModelError("a model of kind \"\(kind.rawValue)\" has one of the losses \(legal), not \"\(loss.rawValue)\"")
    }
    if loss == .softmax && sizes[sizes.count - 1] < 2 {
      throw ModelError("loss \"softmax\" needs at least 2 outputs, not \(sizes[sizes.count - 1])")
    }
    self.kind = kind
    self.sizes = sizes
    self.activation = activation
    self.loss = loss
    stage = try Stage(
      sizes: sizes, activation: activation, loss: loss, layers: 0..<sizes.count - 1, tensor: .whole)
  }

  /// The layers in `range` alone, for one stage of a pipeline.
  public func stage(layers range: Range<Int>) -> Stage {
    guard let part = try? stage(layers: range, tensor: .whole) else {
      preconditionFailure("layers \(range) are too large, though all \(depth) are not")
    }
    return part
  }

  /// The part of the layers in `range` that a rank of a tensor split holds.
  /// - Throws: `ModelError` where a layer is too small to give every rank a part.
  public func stage(layers range: Range<Int>, tensor: TensorPlace) throws(ModelError) -> Stage {
    precondition(
      !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= depth, "layers \(range) of \(depth)")
    return try Stage(sizes: sizes, activation: activation, loss: loss, layers: range, tensor: tensor)
  }

  /// Writes the first parameters, a pure function of the seed; see `Stage.initialize`.
  public func initialize(_ parameters: inout FloatBuffer, seed: UInt64) {
    stage.initialize(&parameters, seed: seed)
  }

  /// Runs the rows of `view` through the model; the scores are then in `workspace.outputs`.
  public func forward(
    parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, view: MatrixView, workspace: Workspace
  ) {
    stage.forward(parameters: parameters, inputs: features, .matrix(view), workspace: workspace)
  }

  /// The sum of the losses of the rows of the last forward pass; not the mean.
  ///
  /// - Parameter targets: `targetsPerRow` floats a row from `targetsOffset` on.
  public func lossSum(_ workspace: Workspace, targets: borrowing FloatBuffer, targetsOffset: Int) -> Double {
    loss.sum(workspace, targets: targets, at: targetsOffset)
  }

  /// Adds (or writes, where `accumulate` is not set) the gradient of the summed loss of the rows of `view` to
  /// `gradient[offset..<offset + layout.count]`; sums, not means.
  ///
  /// The result is a pure function of parameters, rows and, where it accumulates, of what was there.
  /// - Parameter progress: see `Stage.backward`.
  /// - Returns: the sum of the losses of the rows.
  public func accumulateGradient(
    parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, view: MatrixView,
    targets: borrowing FloatBuffer, targetsOffset: Int, workspace: Workspace, gradient: inout FloatBuffer,
    at offset: Int, accumulate: Bool, progress: Stage.Progress? = nil
  ) -> Double {
    forward(parameters: parameters, features: features, view: view, workspace: workspace)
    let sum = lossSum(workspace, targets: targets, targetsOffset: targetsOffset)
    // What comes next often lies behind these rows, which are in the cache by now.
    let end = view.offset + view.rows * view.rowStride
    features.prefetch(end..<end + view.rows * view.rowStride)
    stage.backward(
      parameters: parameters, inputs: features, .matrix(view), workspace: workspace, gradient: &gradient,
      gradientOffset: offset, accumulate: accumulate, progress: progress)
    return sum
  }
}
