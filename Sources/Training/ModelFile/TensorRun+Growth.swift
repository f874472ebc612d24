import Model

extension [TensorRun] {
  /// The elements that a smaller model has as well, counted in its tensors: of each tensor the first rows and columns.
  /// - Parameters:
  ///   - smaller: of the same tensors, none of which is larger.
  ///   - whole: what the runs are of.
  func within(_ smaller: ParameterLayout, of whole: ParameterLayout) -> [TensorRun] {
    guard smaller != whole else { return self }
    return flatMap { run -> [TensorRun] in
      let (old, new) = (smaller.entries[run.tensor], whole.entries[run.tensor])
      let (rows, columns, width) = (old.shape[0], old.isBias ? 1 : old.shape[1], new.isBias ? 1 : new.shape[1])
      if columns == width {
        let count = Swift.min(run.elements.upperBound, rows * width) - run.start
        guard count > 0 else { return [] }
        return [
          TensorRun(tensor: run.tensor, start: run.start, local: run.local.lowerBound..<run.local.lowerBound + count)
        ]
      }
      // Row by row: what stands side by side in one tensor does not in the other.
      var parts: [TensorRun] = []
      var element = run.start
      while element < Swift.min(run.elements.upperBound, rows * width) {
        let (row, column) = element.quotientAndRemainder(dividingBy: width)
        let end = Swift.min(run.elements.upperBound, (row + 1) * width)
        let count = Swift.min(end - element, columns - column)
        if count > 0 {
          let first = run.local.lowerBound + element - run.start
          parts.append(TensorRun(tensor: run.tensor, start: row * columns + column, local: first..<first + count))
        }
        element = end
      }
      return parts
    }
  }
}
