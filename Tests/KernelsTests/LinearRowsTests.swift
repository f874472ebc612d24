import Testing

@testable import Kernels

@Suite struct LinearRowsTests {
  private static let columns = [1, 5, 16, 28, 47, 100, 300]
  private static let places: [Int32] = [7, 0, 3, 3, 11, 10, 1, 2, 9, 8, 4, 5, 6, 0, 11, 2, 7, 1, 9]

  private static func random(_ count: Int, label: UInt64) -> FloatBuffer {
    var stream = RandomStream(seed: 9, stream: label)
    return FloatBuffer((0..<count).map { _ in 2 * stream.uniform() - 1 })
  }

  /// Scores and sums over rows where they lie have the bits of those over copies of the rows, however they are cut into calls.
  @Test(arguments: columns) func rowsInPlaceAreTheRowsCopied(columns: Int) {
    let x = Self.random(12 * columns, label: 1)
    let w = Self.random(columns + 3, label: 2)
    let factors = Self.random(Self.places.count, label: 3)
    let rows = RowSelection(places: Self.places, 1..<Self.places.count)
    var copies = FloatBuffer(count: rows.count * columns)
    copies.gather(rows, of: x, columns: columns)
    let copied = RowSelection(MatrixView(rows: rows.count, columns: columns))

    var scores = FloatBuffer(count: rows.count)
    LinearRows.scores(x, rows, columns: columns, weights: w, at: 3, into: &scores)
    var others = FloatBuffer(count: rows.count)
    LinearRows.scores(copies, copied, columns: columns, weights: w, at: 3, into: &others)
    #expect(scores.values().map(\.bitPattern) == others.values().map(\.bitPattern))
    for row in 0..<rows.count {
      let dot = Reduce.orderedDot(copies, row * columns..<(row + 1) * columns, w, at: 3)
      #expect(scores[row].bitPattern == dot.bitPattern)
    }

    var sums = FloatBuffer(count: columns + 1)
    LinearRows.weightedSum(x, rows, columns: columns, factors: factors, into: &sums, at: 1, accumulate: false)
    var parts = Self.random(columns + 1, label: 4)
    parts[0] = 0
    var start = 0
    for end in [5, 6, rows.count] {
      var some = FloatBuffer(count: end - start)
      some.copy(from: factors, range: start..<end)
      LinearRows.weightedSum(
        copies, copied.rows(start..<end), columns: columns, factors: some, into: &parts, at: 1, accumulate: start > 0)
      start = end
    }
    #expect(sums.values().map(\.bitPattern) == parts.values().map(\.bitPattern))
    for column in 0..<columns {
      var sum = 0.0
      for row in 0..<rows.count { sum += Double(factors[row]) * Double(copies[row * columns + column]) }
      #expect(abs(Double(sums[column + 1]) - sum) < 1e-5)
    }
  }

  /// Scores and sums over parts of a selection are those over the parts as selections of their own.
  @Test(arguments: columns) func partsOfASelectionAreSelections(columns: Int) {
    let x = Self.random(12 * columns, label: 1)
    let w = Self.random(columns, label: 2)
    let factors = Self.random(Self.places.count, label: 3)
    for rows in [RowSelection(places: Self.places, 1..<Self.places.count), RowSelection(first: 2, count: 9)] {
      for part in [0..<rows.count, 0..<3, 2..<rows.count, 4..<4] {
        var scores = FloatBuffer(count: 20)
        var others = FloatBuffer(count: 20)
        LinearRows.scores(x, rows, part, columns: columns, weights: w, at: 0, into: &scores)
        LinearRows.scores(x, rows.rows(part), columns: columns, weights: w, at: 0, into: &others)
        #expect(scores.values() == others.values())
        var sums = FloatBuffer(count: columns)
        var same = FloatBuffer(count: columns)
        LinearRows.weightedSum(x, rows, part, columns: columns, factors: factors, into: &sums, at: 0, accumulate: false)
        LinearRows.weightedSum(
          x, rows.rows(part), columns: columns, factors: factors, into: &same, at: 0, accumulate: false)
        #expect(sums.values() == same.values())
        var copies = FloatBuffer(count: 20 * columns)
        var rest = FloatBuffer(count: 20 * columns)
        copies.gather(rows, part, of: x, columns: columns)
        rest.gather(rows.rows(part), of: x, columns: columns)
        #expect(copies.values() == rest.values())
      }
    }
  }

  /// A run of steps has the bits of the same steps made one by one from the other kernels.
  @Test(arguments: columns, [PointLoss.squared, .huber, .absolute, .logistic, .hinge, .squaredHinge])
  func aRunOfStepsIsTheStepsOneByOne(columns: Int, loss: PointLoss) {
    let x = Self.random(12 * columns, label: 1)
    let y = FloatBuffer((0..<12).map { Float($0 % 2) })
    let start = Self.random(columns + 1, label: 5)
    let rates = FloatBuffer((0..<Self.places.count).map { 0.3 / Float($0 + 3) })
    let penalty = Update.Gradient(scale: 1, l1: 1e-3, l2: 1e-2)
    var parameters = FloatBuffer(start.values())
    let rows = RowSelection(places: Self.places, 0..<Self.places.count)
    let descent = LinearRows.descend(
      x, rows, columns: columns, targets: y, parameters: &parameters, rates: rates, penalty: penalty, loss: loss)
    #expect(descent.steps == rows.count)

    var others = FloatBuffer(start.values())
    var last: Float = 0
    for index in 0..<rows.count {
      let row = rows.rows(index..<index + 1)
      var score = FloatBuffer(count: 1)
      var term = FloatBuffer(count: 1)
      var slope = FloatBuffer(count: 1)
      var target = FloatBuffer(count: 1)
      var gradient = FloatBuffer(count: columns + 1)
      LinearRows.scores(x, row, columns: columns, weights: others, at: 0, into: &score)
      Elementwise.addBias(&score, MatrixView(rows: 1, columns: 1), bias: others, at: columns)
      target.gather(row, of: y, columns: 1)
      Self.apply(loss, score, target, &term, &slope)
      LinearRows.weightedSum(x, row, columns: columns, factors: slope, into: &gradient, at: 0, accumulate: false)
      gradient[columns] = slope[0]
      Update.descent(&others, 0..<columns, gradient: gradient, penalty, rate: rates[index])
      Update.descent(
        &others, columns..<columns + 1, gradient: gradient, Update.Gradient(scale: 1, l1: 0, l2: 0), rate: rates[index])
      last = term[0]
    }
    #expect(parameters.values().map(\.bitPattern) == others.values().map(\.bitPattern))
    #expect(descent.loss.bitPattern == last.bitPattern)
  }

  /// A run ends before the step whose loss or gradient is not finite, and leaves the parameters of the step before.
  @Test func aRunEndsWhereNumbersDo() {
    let x = FloatBuffer([1, 2, 3, 4, 1e30, 1, 5, 6])
    let y = FloatBuffer(count: 4)
    let rates = FloatBuffer([0.1, 0.1, 0.1, 0.1])
    for (loss, most) in [(PointLoss.squared, 2), (.huber, 4)] {
      var parameters = FloatBuffer([0.5, 0.5, 0])
      let penalty = Update.Gradient(scale: 1, l1: 0, l2: 0)
      let descent = LinearRows.descend(
        x, RowSelection(first: 0, count: 4), columns: 2, targets: y, parameters: &parameters, rates: rates,
        penalty: penalty, loss: loss)
      #expect(descent.steps == most)
      var before = FloatBuffer([0.5, 0.5, 0])
      _ = LinearRows.descend(
        x, RowSelection(first: 0, count: most), columns: 2, targets: y, parameters: &before, rates: rates,
        penalty: penalty, loss: loss)
      #expect(parameters.values() == before.values())
    }
  }

  private static func apply(
    _ loss: PointLoss, _ score: borrowing FloatBuffer, _ target: borrowing FloatBuffer, _ term: inout FloatBuffer,
    _ slope: inout FloatBuffer
  ) {
    switch loss {
    case .squared:
      LossTerms.squared(score, count: 1, targets: target, at: 0, factor: 1, terms: &term, slopes: &slope)
    case .huber: LossTerms.huber(score, count: 1, targets: target, at: 0, factor: 1, terms: &term, slopes: &slope)
    case .absolute:
      LossTerms.absolute(score, count: 1, targets: target, at: 0, factor: 1, terms: &term, slopes: &slope)
    case .logistic:
      LossTerms.logistic(score, count: 1, targets: target, at: 0, factor: 1, terms: &term, slopes: &slope)
    case .hinge: LossTerms.hinge(score, count: 1, targets: target, at: 0, factor: 1, terms: &term, slopes: &slope)
    case .squaredHinge:
      LossTerms.squaredHinge(score, count: 1, targets: target, at: 0, factor: 1, terms: &term, slopes: &slope)
    }
  }
}
