internal import JSON

/// Weighted sums over rows, which make the measures of a model.
///
/// The spread of the targets is kept as mean and sum of squared deviations, which does not cancel.
///
/// Source: D. H. D. West, Updating Mean and Variance Estimates (CACM 1979); T. Chan, G. Golub, R. LeVeque (1983) for two sets of rows.
struct Tally: Equatable, Sendable {
  private(set) var task: ScoreTask
  private(set) var weight = 0.0
  private(set) var lossSum = 0.0
  /// Weights by true class (row) and predicted class (column); empty for numbers.
  private(set) var confusion: [Double]
  /// Four sums an output: mean of the targets, their squared deviations, squared errors and absolute errors.
  private(set) var sums: [Double]

  init(_ task: ScoreTask) {
    self.task = task
    switch task {
    case .classification(let classes): (confusion, sums) = (Array(repeating: 0, count: classes * classes), [])
    case .regression(let outputs): (confusion, sums) = ([], Array(repeating: 0, count: 4 * outputs))
    }
  }

  /// Adds a row of a classification.
  @inline(__always)
  mutating func add(weight: Double, target: Int, predicted: Int, classes: Int, loss: Float) {
    self.weight += weight
    lossSum += weight * Double(loss)
    confusion[target * classes + predicted] += weight
  }

  /// Adds a row of a regression; of the spans those floats that begin at `offset`.
  mutating func add(weight: Double, targets: Span<Float>, predictions: Span<Float>, at offset: Int, loss: Float) {
    self.weight += weight
    lossSum += weight * Double(loss)
    for output in 0..<sums.count / 4 {
      let target = Double(targets[offset + output])
      let error = Double(predictions[offset + output]) - target
      let delta = target - sums[4 * output]
      sums[4 * output] += weight / self.weight * delta
      sums[4 * output + 1] += weight * delta * (target - sums[4 * output])
      sums[4 * output + 2] += weight * error * error
      sums[4 * output + 3] += weight * error.magnitude
    }
  }

  /// Multiplies all weights.
  mutating func scale(by factor: Double) {
    weight *= factor
    lossSum *= factor
    for index in confusion.indices { confusion[index] *= factor }
    for index in sums.indices where !index.isMultiple(of: 4) { sums[index] *= factor }
  }

  /// Adds the rows of another tally of the same task.
  mutating func merge(_ other: Tally) {
    precondition(task == other.task, "a tally of \(other.task) into one of \(task)")
    guard other.weight > 0 else { return }
    let total = weight + other.weight
    for output in 0..<sums.count / 4 {
      let first = 4 * output
      let delta = other.sums[first] - sums[first]
      sums[first] += delta * other.weight / total
      sums[first + 1] += other.sums[first + 1] + delta * delta * weight * other.weight / total
      sums[first + 2] += other.sums[first + 2]
      sums[first + 3] += other.sums[first + 3]
    }
    for index in confusion.indices { confusion[index] += other.confusion[index] }
    weight = total
    lossSum += other.lossSum
  }

  /// Makes room for classes that came later.
  mutating func addClasses(to count: Int) {
    guard case .classification(let classes) = task, count > classes else { return }
    var grown = [Double](repeating: 0, count: count * count)
    for target in 0..<classes {
      for predicted in 0..<classes { grown[target * count + predicted] = confusion[target * classes + predicted] }
    }
    confusion = grown
    task = .classification(classes: count)
  }
}

extension Tally {
  var json: JSONValue {
    .object([("weights", .bits([weight, lossSum])), ("confusion", .bits(confusion)), ("sums", .bits(sums))])
  }

  init(_ task: ScoreTask, _ state: StateReader) throws(OnlineError) {
    self.init(task)
    let weights = try state.doubles("weights", count: 2)
    (weight, lossSum) = (weights[0], weights[1])
    confusion = try state.doubles("confusion", count: confusion.count)
    sums = try state.doubles("sums", count: sums.count)
  }
}
