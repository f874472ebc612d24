import Testing

@testable import Kernels

/// One shape of a dense layer.
struct Shape: Sendable, CustomTestStringConvertible {
  let (batch, inputs, outputs): (Int, Int, Int)
  var testDescription: String { "\(batch) x \(inputs) -> \(outputs)" }

  init(_ batch: Int, _ inputs: Int, _ outputs: Int) {
    (self.batch, self.inputs, self.outputs) = (batch, inputs, outputs)
  }

  static let all = [
    Shape(1, 1, 1), Shape(1, 7, 5), Shape(5, 7, 1), Shape(6, 100, 1), Shape(1, 200, 3), Shape(3, 1, 4),
    Shape(16, 78, 10), Shape(33, 65, 17), Shape(128, 40, 31), Shape(2, 131, 2), Shape(0, 4, 3), Shape(0, 4, 1),
    // Several tiles and panels, with something left over in each direction.
    Shape(40, 300, 70), Shape(270, 33, 13), Shape(13, 530, 47),
  ]
}

@Suite struct MultiplyTests {
  @Test(arguments: Shape.all, [false, true])
  func forwardAgreesWithDouble(_ shape: Shape, accumulate: Bool) {
    let x = Operand(shape.batch, shape.inputs, label: 1)
    let w = Operand(shape.outputs, shape.inputs, label: 2)
    let old = Operand(shape.batch, shape.outputs, label: 3)
    let y = run(old, accumulate: accumulate, x, w) { x, xView, w, wView, y, yView in
      Multiply.forward(x, xView, weights: w, wView, into: &y, yView, accumulate: accumulate)
    }
    for row in 0..<old.rows {
      for column in 0..<old.columns {
        var sum = accumulate ? old[row, column] : 0
        for index in 0..<shape.inputs { sum += x[row, index] * w[column, index] }
        #expect(abs(Double(y[row * old.columns + column]) - sum) < 1e-5 * Double(shape.inputs + 1).squareRoot())
      }
    }
  }

  @Test(arguments: Shape.all, [false, true])
  func inputGradientAgreesWithDouble(_ shape: Shape, accumulate: Bool) {
    let d = Operand(shape.batch, shape.outputs, label: 1)
    let w = Operand(shape.outputs, shape.inputs, label: 2)
    let old = Operand(shape.batch, shape.inputs, label: 3)
    let dx = run(old, accumulate: accumulate, d, w) { d, dView, w, wView, dx, dxView in
      Multiply.inputGradient(d, dView, weights: w, wView, into: &dx, dxView, accumulate: accumulate)
    }
    for row in 0..<old.rows {
      for column in 0..<old.columns {
        var sum = accumulate ? old[row, column] : 0
        for index in 0..<shape.outputs { sum += d[row, index] * w[index, column] }
        #expect(abs(Double(dx[row * old.columns + column]) - sum) < 1e-5 * Double(shape.outputs + 1).squareRoot())
      }
    }
  }

  @Test(arguments: Shape.all, [false, true])
  func weightGradientAgreesWithDouble(_ shape: Shape, accumulate: Bool) {
    let d = Operand(shape.batch, shape.outputs, label: 1)
    let x = Operand(shape.batch, shape.inputs, label: 2)
    let old = Operand(shape.outputs, shape.inputs, label: 3)
    let g = run(old, accumulate: accumulate, d, x) { d, dView, x, xView, g, gView in
      Multiply.weightGradient(d, dView, x, xView, into: &g, gView, accumulate: accumulate)
    }
    for row in 0..<old.rows {
      for column in 0..<old.columns {
        var sum = accumulate ? old[row, column] : 0
        for index in 0..<shape.batch { sum += d[index, row] * x[index, column] }
        #expect(abs(Double(g[row * old.columns + column]) - sum) < 1e-5 * Double(shape.batch + 1).squareRoot())
      }
    }
  }

  /// With one output a row's result is the same bits whichever rows stand beside it.
  @Test(arguments: [1, 2, 4, 9, 15, 16, 31, 100, 257]) func aDotProductDoesNotDependOnTheRowsAround(inputs: Int) {
    let x = FloatBuffer(Operand(11, inputs, label: 1).values)
    let w = FloatBuffer(Operand(1, inputs, label: 2).values)
    let weights = MatrixView(rows: 1, columns: inputs)
    let rows = MatrixView(rows: 11, columns: inputs)
    var all = FloatBuffer(count: 11)
    Multiply.forward(x, rows, weights: w, weights, into: &all, MatrixView(rows: 11, columns: 1))
    for row in 0..<11 {
      var single = FloatBuffer(count: 1)
      Multiply.forward(x, rows.rows(row..<row + 1), weights: w, weights, into: &single, MatrixView(rows: 1, columns: 1))
      #expect(single[0].bitPattern == all[row].bitPattern)
      let dot = Reduce.orderedDot(x, row * inputs..<(row + 1) * inputs, w, at: 0)
      #expect(dot.bitPattern == all[row].bitPattern)
    }
  }

  private typealias Product = (
    borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, MatrixView, inout FloatBuffer, MatrixView
  ) -> Void

  /// Runs a product on operands at several alignments, with and without room between rows, over old contents that are
  /// not a number where they must not matter, and checks that all give the same bits and touch nothing else.
  private func run(_ old: Operand, accumulate: Bool, _ a: Operand, _ b: Operand, _ product: Product) -> [Float] {
    var results: [[Float]] = []
    for (shift, gap) in [(0, 0), (1, 0), (3, 2), (16, 16)] {
      let first = Placed(a, offset: shift, gap: gap)
      let second = Placed(b, offset: shift + 1, gap: gap)
      let result = Placed(accumulate ? old : old.withoutNumbers, offset: shift + 2, gap: gap)
      let untouched = result.buffer.values()
      product(first.buffer, first.view, second.buffer, second.view, &result.buffer, result.view)
      var values: [Float] = []
      var inside: Set<Int> = []
      for row in 0..<old.rows {
        let start = result.view.offset + row * result.view.rowStride
        values += result.buffer.values(in: start..<start + old.columns)
        inside.formUnion(start..<start + old.columns)
      }
      for index in untouched.indices where !inside.contains(index) {
        #expect(result.buffer[index].bitPattern == untouched[index].bitPattern)
      }
      results.append(values)
    }
    for other in results { #expect(other.map(\.bitPattern) == results[0].map(\.bitPattern)) }
    return results[0]
  }
}

/// A matrix without gaps.
private struct Operand {
  let values: [Float]
  let rows: Int
  let columns: Int

  init(_ rows: Int, _ columns: Int, label: UInt64) {
    var stream = RandomStream(seed: 5, stream: label)
    self.init(rows, columns, (0..<rows * columns).map { _ in 2 * stream.uniform() - 1 })
  }

  private init(_ rows: Int, _ columns: Int, _ values: [Float]) {
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  var withoutNumbers: Operand { Operand(rows, columns, values.map { _ in .nan }) }

  subscript(row: Int, column: Int) -> Double { Double(values[row * columns + column]) }
}

/// A matrix somewhere in a buffer that is otherwise not a number.
private final class Placed {
  var buffer: FloatBuffer
  let view: MatrixView

  init(_ operand: Operand, offset: Int, gap: Int) {
    view = MatrixView(
      offset: offset, rows: operand.rows, columns: operand.columns, rowStride: operand.columns + gap)
    buffer = FloatBuffer([Float](repeating: .nan, count: view.end + gap + 1))
    for row in 0..<operand.rows {
      let line = operand.values[row * operand.columns..<(row + 1) * operand.columns]
      buffer.copy(from: Array(line), at: offset + row * view.rowStride)
    }
  }
}
