internal import Kernels

extension Outcomes {
  /// Adds rows that were learned.
  ///
  /// - Parameters:
  ///   - results: the model's scores, rows × `outputs`, from 0 on.
  ///   - targets: those of the rows from `first` on.
  ///   - losses: one a row, from 0 on.
  mutating func add(
    _ results: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, first: Int, losses: borrowing FloatBuffer,
    rows: Int, outputs: Int
  ) {
    let values = targets.span.extracting(first * task.width..<(first + rows) * task.width)
    for index in values.indices { self.targets.append(values[index]) }
    let losses = losses.span.extracting(0..<rows)
    for index in losses.indices { self.losses.append(losses[index]) }
    add(results, rows: rows, outputs: outputs)
  }

  /// Adds rows of which nothing is known but what the model says.
  mutating func add(_ results: borrowing FloatBuffer, rows: Int, outputs: Int) {
    let values = results.span.extracting(0..<rows * outputs)
    count += rows
    guard case .classification = task else {
      for index in values.indices { predictions.append(values[index]) }
      return
    }
    for row in 0..<rows {
      let first = row * outputs
      if outputs == 1 {
        predictions.append(values[first] > 0 ? 1 : 0)
        scores.append(values[first])
        continue
      }
      var best = 0
      for output in 1..<outputs where values[first + output] > values[first + best] { best = output }
      predictions.append(Float(best))
      if outputs == 2 { scores.append(values[first + 1] - values[first]) }
    }
  }
}
