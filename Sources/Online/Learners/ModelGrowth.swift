public import Kernels
public import Model

/// A model with more inputs or more outputs than another, which says the same of what the other knows.
///
/// Weights of new columns and of new classes begin at 0: columns say nothing until they have been learned, and a class has the score 0.
public struct ModelGrowth: Sendable {
  public let old: Model
  public let new: Model

  /// - Throws: `OnlineError` where the model would not grow or cannot.
  public init(_ old: Model, inputs: Int? = nil, outputs: Int? = nil) throws(OnlineError) {
    let (inputs, outputs) = (inputs ?? old.inputs, outputs ?? old.outputs)
    guard inputs >= old.inputs, outputs >= old.outputs else {
      throw OnlineError(
        "a model of \(old.inputs) columns and \(old.outputs) outputs cannot shrink to \(inputs) and \(outputs)")
    }
    if outputs > old.outputs, old.targetMeaning != .classIndex {
      let instead = old.kind == .mlp ? "the loss \"softmax\"" : "a learner of kind \"softmax\""
      throw OnlineError(
        "a model with the loss \"\(old.loss.rawValue)\" and \(old.outputs) outputs takes no more classes; \(instead) does"
      )
    }
    self.old = old
    do {
      new = try Model(
        kind: old.kind, sizes: [inputs] + old.sizes[1..<old.depth] + [outputs], activation: old.activation,
        loss: old.loss)
    } catch { throw OnlineError(error.description) }
  }

  /// Copies what is laid out as the old model's parameters, themselves or state of an optimizer, to where the new model has it; what is new
  /// becomes 0.
  public func copy(_ source: borrowing FloatBuffer, to target: inout FloatBuffer) {
    precondition(
      source.count == old.layout.count && target.count == new.layout.count,
      "\(source.count) floats of \(old.layout.count), to \(target.count) of \(new.layout.count)")
    target.fill(with: 0)
    for (from, to) in zip(old.layout.entries, new.layout.entries) {
      let width = from.isBias ? 1 : from.shape[1]
      let newWidth = to.isBias ? 1 : to.shape[1]
      for row in 0..<from.shape[0] {
        let start = from.range.lowerBound + row * width
        target.copy(from: source, range: start..<start + width, to: to.range.lowerBound + row * newWidth)
      }
    }
  }
}
