import Model

/// Floats that lie one behind the other in a rank's buffer as well as in a tensor of the whole model.
struct TensorRun: Equatable, Sendable {
  /// The number of the tensor in the layout of the whole model.
  let tensor: Int
  /// The first element in that tensor.
  let start: Int
  /// Where they are in the rank's buffer.
  let local: Range<Int>

  /// The elements in the tensor.
  var elements: Range<Int> { start..<start + local.count }
}

extension ParameterLayout {
  /// The runs that make up `range` of a buffer of this layout, a part of that of `whole`; in the order of both.
  /// - Parameter replicated: also of tensors that other ranks hold as well.
  func runs(of range: Range<Int>, in whole: ParameterLayout, replicated: Bool = true) -> [TensorRun] {
    entries.flatMap { entry -> [TensorRun] in
      let part = entry.range.clamped(to: range)
      guard !part.isEmpty, replicated || !entry.isReplicated else { return [] }
      guard let tensor = whole.entries.firstIndex(where: { $0.name == entry.name }) else {
        preconditionFailure("the model has no tensor '\(entry.name)'")
      }
      return entry.segments(of: part).map { TensorRun(tensor: tensor, start: $0.offset, local: $0.local) }
    }
  }
}
