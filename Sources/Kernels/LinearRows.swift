import CRelaxed
import CTiles

/// Layers with one output over rows where they lie, which need not be copied together first.
///
/// Shapes: `features` any number of rows × `columns`, of which `rows` names some. A row's score and a column's sum depend
/// on how many columns and which rows there are, in their order, alone: not on where they lie nor on how they are cut
/// into calls.
public enum LinearRows {
  /// Writes `x · w` of each row of `part` of `rows` (all without one) to `scores` from 0 on; the weights begin at `offset`.
  public static func scores(
    _ features: borrowing FloatBuffer, _ rows: RowSelection, _ part: Range<Int>? = nil, columns: Int,
    weights: borrowing FloatBuffer, at offset: Int, into scores: inout FloatBuffer
  ) {
    let part = part ?? 0..<rows.count
    check(features, rows, part, columns)
    weights.check(offset: offset, count: columns)
    scores.check(offset: 0, count: part.count)
    let (x, w, y) = unsafe (features.base, weights.base + offset, scores.base)
    unsafe rows.withPlaces(from: part.lowerBound) { places, first in
      if Multiply.usesTiles {
        unsafe apus_dots(part.count, columns, x + first * columns, columns, places, w, y, 1, 0)
        return
      }
      for index in 0..<part.count {
        unsafe y[index] = Reduce.laneDot(line(x, columns, places, first, index), w, count: columns)
      }
    }
  }

  /// Writes `Σ factors[i] x[i]` over the rows of `part` of `rows` (all without one) to `sums` from `offset` on, or adds it there where
  /// `accumulate` is set. The factors of the part stand from 0 on.
  public static func weightedSum(
    _ features: borrowing FloatBuffer, _ rows: RowSelection, _ part: Range<Int>? = nil, columns: Int,
    factors: borrowing FloatBuffer, into sums: inout FloatBuffer, at offset: Int, accumulate: Bool
  ) {
    let part = part ?? 0..<rows.count
    check(features, rows, part, columns)
    factors.check(offset: 0, count: part.count)
    sums.check(offset: offset, count: columns)
    let named = rows.named - part.lowerBound
    let (x, f, y) = unsafe (features.base, factors.base, sums.base + offset)
    unsafe rows.withPlaces(from: part.lowerBound) { places, first in
      if Multiply.usesTiles {
        unsafe apus_combination(
          part.count, columns, f, 1, x + first * columns, columns, places, named, y, accumulate ? 1 : 0)
        return
      }
      if !accumulate { unsafe y.update(repeating: 0, count: columns) }
      for index in 0..<part.count {
        let (row, factor) = unsafe (line(x, columns, places, first, index), f[index])
        for column in 0..<columns { unsafe y[column] = y[column].addingProduct(factor, row[column]) }
      }
    }
  }

  /// What a run of steps came to.
  public struct Descent: Sendable {
    /// Steps made: fewer than rows where the loss or the gradient of the next one is not finite.
    public let steps: Int
    /// The loss of the last step made, before its update.
    public let loss: Float
  }

  /// Makes a step of gradient descent for each row in turn: `w -= rate * (slope * x + l2 w + l1 sign(w))`, and likewise
  /// the bias, without penalties. The bits are those of the same steps made one by one through `scores`, `weightedSum` and
  /// `Update.descent`.
  ///
  /// - Parameters:
  ///   - parameters: `columns` weights and the bias.
  ///   - rates: the learning rate of each step.
  public static func descend(
    _ features: borrowing FloatBuffer, _ rows: RowSelection, columns: Int, targets: borrowing FloatBuffer,
    parameters: inout FloatBuffer, rates: borrowing FloatBuffer, penalty: Update.Gradient, loss: PointLoss
  ) -> Descent {
    unsafe descend(features, rows, columns, targets, &parameters, rates, penalty, loss, trace: nil)
  }

  /// The same steps, with score and loss that each row had before its step written to `scores` and `losses` from 0 on.
  public static func descend(
    _ features: borrowing FloatBuffer, _ rows: RowSelection, columns: Int, targets: borrowing FloatBuffer,
    parameters: inout FloatBuffer, rates: borrowing FloatBuffer, penalty: Update.Gradient, loss: PointLoss,
    scores: inout FloatBuffer, losses: inout FloatBuffer
  ) -> Descent {
    scores.check(offset: 0, count: rows.count)
    losses.check(offset: 0, count: rows.count)
    return unsafe descend(
      features, rows, columns, targets, &parameters, rates, penalty, loss, trace: (scores.base, losses.base))
  }

  private static func descend(
    _ features: borrowing FloatBuffer, _ rows: RowSelection, _ columns: Int, _ targets: borrowing FloatBuffer,
    _ parameters: inout FloatBuffer, _ rates: borrowing FloatBuffer, _ penalty: Update.Gradient, _ loss: PointLoss,
    trace: (scores: UnsafeMutablePointer<Float>, losses: UnsafeMutablePointer<Float>)?
  ) -> Descent {
    check(features, rows, 0..<rows.count, columns)
    rows.check(0..<rows.count, within: targets.count)
    precondition(parameters.count == columns + 1, "\(parameters.count) parameters for \(columns) columns")
    precondition(penalty.scale == 1, "a batch of one row with a scale of \(penalty.scale)")
    rates.check(offset: 0, count: rows.count)
    let problem = unsafe Problem(
      x: features.base, y: targets.base, w: parameters.base, rates: rates.base, trace: trace, columns: columns,
      penalty: penalty)
    return switch loss {
    case .squared: unsafe problem.descend(rows) { LossTerms.squaredTerm($0, $1) }
    case .huber: unsafe problem.descend(rows) { LossTerms.huberTerm($0, $1) }
    case .absolute: unsafe problem.descend(rows) { LossTerms.absoluteTerm($0, $1) }
    case .logistic: unsafe problem.descend(rows) { LossTerms.logisticTerm($0, $1) }
    case .hinge: unsafe problem.descend(rows) { LossTerms.hingeTerm($0, 2 * $1 - 1) }
    case .squaredHinge: unsafe problem.descend(rows) { LossTerms.squaredHingeTerm($0, 2 * $1 - 1) }
    }
  }

  private static func check(
    _ features: borrowing FloatBuffer, _ rows: RowSelection, _ part: Range<Int>, _ columns: Int
  ) {
    precondition(columns > 0, "rows of \(columns) columns")
    rows.check(part, within: features.count / columns)
  }

  @inline(__always)
  private static func line(
    _ x: UnsafeMutablePointer<Float>, _ columns: Int, _ places: UnsafePointer<Int32>?, _ first: Int, _ index: Int
  ) -> UnsafeMutablePointer<Float> {
    unsafe x + (places.map { unsafe Int($0[index]) } ?? first + index) * columns
  }

  /// Rows that a run of steps asks for ahead of their use: their order is random.
  private static let rowsAhead = 16

  /// Operands of a run of steps.
  @unsafe private struct Problem {
    let x: UnsafeMutablePointer<Float>
    let y: UnsafeMutablePointer<Float>
    let w: UnsafeMutablePointer<Float>
    let rates: UnsafeMutablePointer<Float>
    /// Where scores and losses go; nil where nobody wants them.
    let trace: (scores: UnsafeMutablePointer<Float>, losses: UnsafeMutablePointer<Float>)?
    let columns: Int
    let penalty: Update.Gradient

    @inline(__always)
    func descend(
      _ rows: RowSelection, _ loss: (_ score: Float, _ target: Float) -> (term: Float, slope: Float)
    ) -> Descent {
      guard unsafe Multiply.usesTiles && columns <= 32 else {
        return unsafe descend(rows, vectors: (columns + 15) / 16, loss)
      }
      if unsafe columns <= 16 { return unsafe descend(rows, vectors: 1, loss) }
      return unsafe descend(rows, vectors: 2, loss)
    }

    /// - Parameter vectors: how many hold the weights; where it is a constant, they stay in registers.
    @inline(__always)
    private func descend(
      _ rows: RowSelection, vectors: Int, _ loss: (_ score: Float, _ target: Float) -> (term: Float, slope: Float)
    ) -> Descent {
      unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: 16 * vectors) { weights in
        guard let copy = weights.baseAddress else { preconditionFailure("no room for \(16 * vectors) weights") }
        if Multiply.usesTiles {
          unsafe apus_widen(vectors, columns, w, copy)
        } else {
          unsafe copy.update(from: w, count: columns)
        }
        let named = rows.named
        let descent = unsafe rows.withPlaces { unsafe descend(copy, vectors, rows.count, $0, named: named, $1, loss) }
        if Multiply.usesTiles {
          unsafe apus_narrow(vectors, columns, copy, w)
        } else {
          unsafe w.update(from: copy, count: columns)
        }
        return descent
      }
    }

    @inline(__always)
    private func descend(
      _ weights: UnsafeMutablePointer<Float>, _ vectors: Int, _ count: Int, _ places: UnsafePointer<Int32>?, named: Int,
      _ first: Int, _ loss: (_ score: Float, _ target: Float) -> (term: Float, slope: Float)
    ) -> Descent {
      let columns = unsafe columns
      var bias = unsafe w[columns]
      var last: Float = 0
      var steps = 0
      while steps < count {
        if let places = unsafe places, steps + LinearRows.rowsAhead < named {
          let next = unsafe Int(places[steps + LinearRows.rowsAhead])
          unsafe apus_prefetch_row(x + next * columns, columns)
          unsafe apus_prefetch_row(y + next, 1)
        }
        let place = unsafe places.map { unsafe Int($0[steps]) } ?? first + steps
        let row = unsafe x + place * columns
        let product =
          Multiply.usesTiles
          ? unsafe apus_dot(vectors, columns, row, weights) : unsafe Reduce.laneDot(row, weights, count: columns)
        let (term, slope) = unsafe loss(product + bias, y[place])
        let isMade = unsafe term.isFinite && slope.isFinite && step(weights, vectors, row, slope, rates[steps])
        if let trace = unsafe trace { unsafe (trace.scores[steps], trace.losses[steps]) = (product + bias, term) }
        guard isMade else { break }
        // No penalty draws the bias.
        unsafe bias = bias.addingProduct(-rates[steps], Update.Gradient(scale: 1, l1: 0, l2: 0).of(slope, at: bias))
        last = term
        steps += 1
      }
      unsafe w[columns] = bias
      return Descent(steps: steps, loss: last)
    }

    /// Updates the weights; false, and nothing is done, where the gradient is not finite.
    @inline(__always)
    private func step(
      _ weights: UnsafeMutablePointer<Float>, _ vectors: Int, _ row: UnsafeMutablePointer<Float>, _ slope: Float,
      _ rate: Float
    ) -> Bool {
      if Multiply.usesTiles {
        return unsafe apus_descend_row(vectors, columns, slope, row, penalty.l1, penalty.l2, rate, weights) != 0
      }
      let columns = unsafe columns
      for column in 0..<columns where unsafe !(slope * row[column]).isFinite { return false }
      for column in 0..<columns {
        let weight = unsafe weights[column]
        let sum = unsafe Float(0).addingProduct(slope, row[column])
        unsafe weights[column] = weight.addingProduct(-rate, penalty.of(sum, at: weight))
      }
      return true
    }
  }
}

/// The losses of one score and its target.
public enum PointLoss: CaseIterable, Sendable {
  case squared, huber, absolute, logistic, hinge, squaredHinge
}
