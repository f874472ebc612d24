import JSON
import Kernels
import Testing

@testable import Training

/// Metrics against their definitions (scikit-learn's), written out row by row.
@Suite struct MetricsTests {
  private func numbers(_ count: Int, seed: UInt64, _ range: ClosedRange<Float> = -1...1) -> [Float] {
    var random = RandomStream(seed: seed)
    return (0..<count).map { _ in range.lowerBound + random.uniform() * (range.upperBound - range.lowerBound) }
  }

  private func labels(_ count: Int, classes: Int, seed: UInt64) -> [Float] {
    numbers(count, seed: seed, 0...Float(classes)).map { min($0.rounded(.down), Float(classes - 1)) }
  }

  @Test func classification() throws {
    let (rows, classes) = (200, 4)
    // Class 3 is never the target, class 2 never the answer.
    let targets = labels(rows, classes: 3, seed: 1)
    var scores = numbers(rows * classes, seed: 2)
    for row in 0..<rows { scores[row * classes + 2] = -2 }
    var sums = MetricSums(task: .classification(classes: classes))
    sums.add(scores: scores, targets: targets, rows: rows, lossSum: 50)
    let metrics = Metrics(sums)
    #expect(metrics.rows == rows && metrics.loss == 0.25)
    guard case .classification(let found) = metrics.detail else {
      Issue.record("no classification")
      return
    }

    let answers = (0..<rows).map { row in
      let own = scores[row * classes..<(row + 1) * classes]
      return own.firstIndex(of: own.max() ?? 0).map { $0 - own.startIndex } ?? -1
    }
    let pairs = zip(targets.map { Int($0) }, answers)
    #expect(found.accuracy == Double(pairs.filter { $0 == $1 }.count) / Double(rows))
    for index in 0..<classes {
      let hits = Double(pairs.filter { $0 == index && $1 == index }.count)
      let predicted = Double(answers.filter { $0 == index }.count)
      let support = Double(targets.filter { Int($0) == index }.count)
      let precision = predicted > 0 ? hits / predicted : 0
      let recall = support > 0 ? hits / support : 0
      let metrics = found.classes[index]
      #expect(metrics.precision == precision && metrics.recall == recall && metrics.support == Int(support))
      #expect(abs(metrics.f1 - (predicted + support > 0 ? 2 * hits / (predicted + support) : 0)) < 1e-15)
      for other in 0..<classes {
        #expect(found.confusion[index][other] == pairs.filter { $0 == index && $1 == other }.count)
      }
    }
    #expect(found.classes[2].precision == 0 && found.classes[3].recall == 0 && found.auc == nil)
  }

  /// One score decides between two classes at 0; of equal scores the first wins.
  @Test func predictedClasses() {
    #expect([-1, 0, 1].map { MetricSums.predictedClass([$0]) } == [0, 0, 1])
    #expect(MetricSums.predictedClass([1, 3, 3]) == 1)
    // A part of a longer list, as rows are.
    #expect(MetricSums.predictedClass([9, 1, 2, 0][1...]) == 1)
    var sums = MetricSums(task: .classification(classes: 2))
    sums.add(scores: [-3, 2, 0.5, -0.1], targets: [0, 1, 0, 1], rows: 4, lossSum: 0)
    #expect(sums.confusion == [1, 1, 1, 1])
  }

  @Test func labels() {
    var sums = MetricSums(task: .labels(outputs: 3))
    sums.add(scores: [1, -1, 0, 2, 2, -2], targets: [1, 1, 0, 1, 0, 0], rows: 2, lossSum: 3)
    guard case .labels(let accuracy) = Metrics(sums).detail else {
      Issue.record("no labels")
      return
    }
    #expect(accuracy == 4.0 / 6 && Metrics(sums).loss == 1.5)
  }

  /// Also where the targets are far from 0, where a naive sum of squares has no digit left.
  @Test(arguments: [0, 1e6]) func regression(offset: Float) throws {
    let (rows, outputs) = (150, 2)
    let targets = numbers(rows * outputs, seed: 3, offset - 3...offset + 3)
    let scores = zip(targets, numbers(rows * outputs, seed: 4)).map { $0 + $1 }
    var sums = MetricSums(task: .regression(outputs: outputs))
    sums.add(scores: scores, targets: targets, rows: rows, lossSum: 0)
    guard case .regression(let found) = Metrics(sums).detail else {
      Issue.record("no regression")
      return
    }

    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    func column(_ values: [Float], _ output: Int) -> [Double] {
      (0..<rows).map { Double(values[$0 * outputs + output]) }
    }
    var (mse, mae, r2) = (0.0, 0.0, 0.0)
    for output in 0..<outputs {
      let (truth, answer) = (column(targets, output), column(scores, output))
      let errors = zip(truth, answer).map { $0 - $1 }
      let middle = mean(truth)
      mse += mean(errors.map { $0 * $0 }) / Double(outputs)
      mae += mean(errors.map { abs($0) }) / Double(outputs)
      r2 += (1 - mean(errors.map { $0 * $0 }) / mean(truth.map { ($0 - middle) * ($0 - middle) })) / Double(outputs)
    }
    #expect(abs(found.mse - mse) <= 1e-12 * mse && abs(found.rmse - mse.squareRoot()) <= 1e-12 * mse)
    #expect(abs(found.mae - mae) <= 1e-12 * mae)
    #expect(abs(try #require(found.r2) - r2) <= 1e-9)
  }

  @Test func targetsThatDoNotVaryHaveNoR2() throws {
    var sums = MetricSums(task: .regression(outputs: 1))
    sums.add(scores: [1, 2], targets: [5, 5], rows: 2, lossSum: 0)
    guard case .regression(let found) = Metrics(sums).detail else {
      Issue.record("no regression")
      return
    }
    #expect(found.r2 == nil && found.mse == 12.5)
    #expect(Metrics(sums).json(classNames: []).serialized(pretty: false).contains(#""r2":null"#))
  }

  static let tasks: [Task] = [.classification(classes: 3), .labels(outputs: 2), .regression(outputs: 2)]

  /// Sums of any cut merge into those of all rows: counts exactly, the rest within rounding; the encoding loses nothing.
  @Test(arguments: tasks) func sumsMerge(_ task: Task) throws {
    let (rows, width) = (60, task == .classification(classes: 3) ? 3 : 2)
    let scores = numbers(rows * width, seed: 5)
    let perRow = width == 3 ? 1 : 2
    let targets: [Float] =
      switch task {
      case .classification(let classes): labels(rows, classes: classes, seed: 6)
      case .labels: labels(rows * 2, classes: 2, seed: 6)
      case .regression: numbers(rows * 2, seed: 6, 99...101)
      }
    func sums(_ range: Range<Int>) -> MetricSums {
      var sums = MetricSums(task: task)
      sums.add(
        scores: Array(scores[range.lowerBound * width..<range.upperBound * width]),
        targets: Array(targets[range.lowerBound * perRow..<range.upperBound * perRow]), rows: range.count,
        lossSum: Double(range.count))
      return sums
    }
    let whole = sums(0..<rows)
    for cuts in [[0, 60], [0, 0, 60, 60], [0, 1, 60], [0, 20, 20, 21, 59, 60], Array(0...60)] {
      var merged = MetricSums(task: task)
      for (start, end) in zip(cuts, cuts.dropFirst()) {
        let part = sums(start..<end)
        var decoded = MetricSums(task: task, encoded: part.encoded[...])
        decoded.confusion = part.confusion
        #expect(decoded == part)
        merged.merge(decoded)
      }
      #expect(merged.rows == whole.rows && merged.lossSum == whole.lossSum, "\(cuts)")
      #expect(merged.confusion == whole.confusion && merged.correctLabels == whole.correctLabels, "\(cuts)")
      for (one, other) in zip(merged.outputs, whole.outputs) {
        #expect(abs(one.targetMean - other.targetMean) <= 1e-12 * abs(other.targetMean))
        #expect(abs(one.targetSquares - other.targetSquares) <= 1e-10 * other.targetSquares)
        #expect(abs(one.errorSquares - other.errorSquares) <= 1e-12 * other.errorSquares)
        #expect(abs(one.absoluteErrors - other.absoluteErrors) <= 1e-12 * other.absoluteErrors)
      }
    }
  }
}
