/// What is summed over rows to judge a model; the sums of two sets of rows merge into those of both.
///
/// Sums are in Double. The spread of the targets is kept as mean and sum of squared deviations (Chan, Golub, LeVeque 1983), which
/// does not cancel.
struct MetricSums: Equatable, Sendable {
  /// The sums of one output of a regression.
  struct Output: Equatable, Sendable {
    var targetMean = 0.0
    /// Sum of squared deviations of the targets from their mean.
    var targetSquares = 0.0
    var errorSquares = 0.0
    var absoluteErrors = 0.0
  }

  let task: Task
  var rows = 0
  var lossSum = 0.0
  /// Rows by true class and predicted class, row-major.
  var confusion: [Int]
  var outputs: [Output]
  /// Labels that were predicted as they are.
  var correctLabels = 0

  init(task: Task) {
    self.task = task
    switch task {
    case .classification(let classes):
      confusion = Array(repeating: 0, count: classes * classes)
      outputs = []
    case .labels:
      confusion = []
      outputs = []
    case .regression(let count):
      confusion = []
      outputs = Array(repeating: Output(), count: count)
    }
  }

  /// Adds rows: `scores` is rows × outputs of the model, `targets` rows × floats a row.
  mutating func add(scores: [Float], targets: [Float], rows added: Int, lossSum: Double) {
    self.lossSum += lossSum
    switch task {
    case .classification(let classes):
      rows += added
      let width = scores.count / max(added, 1)
      for row in 0..<added {
        let predicted = Self.predictedClass(scores[row * width..<(row + 1) * width])
        confusion[Int(targets[row]) * classes + predicted] += 1
      }
    case .labels:
      rows += added
      for index in scores.indices where (scores[index] > 0) == (targets[index] > 0.5) { correctLabels += 1 }
    case .regression(let count):
      for row in 0..<added {
        rows += 1
        for output in 0..<count {
          let target = Double(targets[row * count + output])
          outputs[output].add(target: target, error: Double(scores[row * count + output]) - target, rows: rows)
        }
      }
    }
  }

  /// The class of the highest score, the first among equals; with one score, class 1 if it is above 0.
  static func predictedClass(_ scores: ArraySlice<Float>) -> Int {
    guard scores.count > 1 else { return (scores.first ?? 0) > 0 ? 1 : 0 }
    var best = scores.startIndex
    for index in scores.indices where scores[index] > scores[best] { best = index }
    return best - scores.startIndex
  }

  /// Adds the sums of other rows, which come after these.
  mutating func merge(_ other: MetricSums) {
    for index in outputs.indices {
      outputs[index].merge(other.outputs[index], rows: rows, otherRows: other.rows)
    }
    rows += other.rows
    lossSum += other.lossSum
    correctLabels += other.correctLabels
    for index in confusion.indices { confusion[index] += other.confusion[index] }
  }
}

extension MetricSums.Output {
  /// Adds the `rows`-th row.
  mutating func add(target: Double, error: Double, rows: Int) {
    let delta = target - targetMean
    targetMean += delta / Double(rows)
    targetSquares += delta * (target - targetMean)
    errorSquares += error * error
    absoluteErrors += abs(error)
  }

  mutating func merge(_ other: Self, rows: Int, otherRows: Int) {
    guard otherRows > 0 else { return }
    let total = Double(rows + otherRows)
    let delta = other.targetMean - targetMean
    targetMean += delta * Double(otherRows) / total
    targetSquares += other.targetSquares + delta * delta * Double(rows) * Double(otherRows) / total
    errorSquares += other.errorSquares
    absoluteErrors += other.absoluteErrors
  }
}

extension MetricSums {
  /// The sums but the confusion matrix as numbers that ranks can exchange; counts stay exact up to 2⁵³.
  var encoded: [Double] {
    [Double(rows), lossSum, Double(correctLabels)]
      + outputs.flatMap { [$0.targetMean, $0.targetSquares, $0.errorSquares, $0.absoluteErrors] }
  }

  /// The length of `encoded`.
  static func encodedCount(task: Task) -> Int { MetricSums(task: task).encoded.count }

  init(task: Task, encoded: ArraySlice<Double>) {
    self.init(task: task)
    var numbers = encoded
    rows = Int(numbers.removeFirst())
    lossSum = numbers.removeFirst()
    correctLabels = Int(numbers.removeFirst())
    for index in outputs.indices {
      outputs[index] = Output(
        targetMean: numbers.removeFirst(), targetSquares: numbers.removeFirst(), errorSquares: numbers.removeFirst(),
        absoluteErrors: numbers.removeFirst())
    }
  }
}
