import Testing

@testable import Kernels

/// Products of rows where they lie, against those of their copies. (Debug builds leave all products to the BLAS, which wants copies.)
@Suite struct RowProductTests {
  private static let shapes = [(2, 64, 10), (5, 100, 2), (16, 784, 10), (33, 70, 13), (300, 65, 16)]

  private static func random(_ count: Int, label: UInt64) -> FloatBuffer {
    var stream = RandomStream(seed: 4, stream: label)
    return FloatBuffer((0..<count).map { _ in 2 * stream.uniform() - 1 })
  }

  @Test(
    .enabled(if: Multiply.usesTiles, "rows are multiplied in place by optimised builds on processors with AVX-512"),
    arguments: shapes, [false, true])
  func rowsInPlaceGiveTheBitsOfTheirCopies(_ shape: (rows: Int, inputs: Int, outputs: Int), hasFollowers: Bool) {
    let (rows, inputs, outputs) = shape
    let x = Self.random(40 * inputs, label: 1)
    let w = Self.random(outputs * inputs, label: 2)
    let d = Self.random(rows * outputs, label: 3)
    var stream = RandomStream(seed: 5, stream: 1)
    // Names before those that are meant, and behind them too few or more than as many.
    let places = (0..<rows + (hasFollowers ? 2 * rows : 1) + 3).map { _ in Int32(stream.below(40)) }
    let selection = RowSelection(places: places, 3..<3 + rows)
    let input = LayerInput.rows(selection, columns: inputs)
    let view = MatrixView(rows: rows, columns: inputs)
    var copies = FloatBuffer(count: rows * inputs)
    copies.gather(selection, of: x, columns: inputs)
    let (weights, result) = (MatrixView(rows: outputs, columns: inputs), MatrixView(rows: rows, columns: outputs))
    #expect(Multiply.takesRowsInPlace(outputs: outputs, inputs: inputs))

    var y = FloatBuffer(count: result.count)
    var expected = FloatBuffer(count: result.count)
    Multiply.forward(x, input, weights: w, weights, into: &y, result)
    Multiply.forward(copies, view, weights: w, weights, into: &expected, result)
    #expect(y.values().map(\.bitPattern) == expected.values().map(\.bitPattern))

    for accumulate in [false, true] {
      var g = Self.random(weights.count, label: 6)
      var expected = Self.random(weights.count, label: 6)
      Multiply.weightGradient(d, result, x, input, into: &g, weights, accumulate: accumulate)
      Multiply.weightGradient(d, result, copies, view, into: &expected, weights, accumulate: accumulate)
      #expect(g.values().map(\.bitPattern) == expected.values().map(\.bitPattern))
    }
  }

  /// Rows that lie one behind the other are a matrix, in every build and shape.
  @Test func aRunOfRowsIsAMatrix() {
    let x = Self.random(60, label: 1)
    let w = Self.random(15, label: 2)
    let d = Self.random(12, label: 3)
    let input = LayerInput.rows(RowSelection(first: 2, count: 4), columns: 5)
    let view = MatrixView(offset: 10, rows: 4, columns: 5)
    #expect(input.rows == 4 && input.columns == 5)
    let (weights, result) = (MatrixView(rows: 3, columns: 5), MatrixView(rows: 4, columns: 3))
    var y = FloatBuffer(count: 12)
    var expected = FloatBuffer(count: 12)
    Multiply.forward(x, input, weights: w, weights, into: &y, result)
    Multiply.forward(x, view, weights: w, weights, into: &expected, result)
    #expect(y.values() == expected.values())
    var g = FloatBuffer(count: 15)
    var sums = FloatBuffer(count: 15)
    Multiply.weightGradient(d, result, x, input, into: &g, weights, accumulate: false)
    Multiply.weightGradient(d, result, x, view, into: &sums, weights, accumulate: false)
    #expect(g.values() == sums.values())
  }

  @Test func layersOfManyOutputsWantCopies() {
    for (outputs, inputs) in [(1, 784), (17, 784), (10, 63)] {
      #expect(!Multiply.takesRowsInPlace(outputs: outputs, inputs: inputs))
    }
  }
}
