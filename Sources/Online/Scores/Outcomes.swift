/// What a model said of some rows before it learned them, and what was true.
///
/// A learner fills it anew with each call; its memory is used again.
public struct Outcomes: Equatable, Sendable {
  public internal(set) var task: ScoreTask
  /// How many rows.
  public internal(set) var count = 0
  /// `task.width` floats a row: the index of the class, or the numbers. Empty where a prediction knew no targets.
  public internal(set) var targets: [Float] = []
  /// Likewise, as the model predicted them.
  public internal(set) var predictions: [Float] = []
  /// What ranks the rows of two classes: the higher, the more it looks like class 1. Empty for other tasks.
  public internal(set) var scores: [Float] = []
  /// The loss of each row.
  public internal(set) var losses: [Float] = []

  public init(_ task: ScoreTask) { self.task = task }

  mutating func clear(_ task: ScoreTask) {
    self.task = task
    count = 0
    targets.removeAll(keepingCapacity: true)
    predictions.removeAll(keepingCapacity: true)
    scores.removeAll(keepingCapacity: true)
    losses.removeAll(keepingCapacity: true)
  }

  /// Drops the rows from `count` on.
  mutating func keep(first count: Int) {
    guard count < self.count else { return }
    self.count = count
    targets.removeLast(max(targets.count - count * task.width, 0))
    predictions.removeLast(predictions.count - count * task.width)
    scores.removeLast(max(scores.count - count, 0))
    losses.removeLast(max(losses.count - count, 0))
  }

  /// Another class was predicted for a row: by a model that did not know the classes of now.
  public mutating func predict(_ index: Int, row: Int) { predictions[row] = Float(index) }

  /// The error of a row, for detectors of drift: 1 for a wrong class and 0 for the right one; for numbers the mean distance.
  public func error(_ row: Int) -> Double {
    switch task {
    case .classification: return targets[row] == predictions[row] ? 0 : 1
    case .regression(let outputs):
      var sum = 0.0
      for index in row * outputs..<(row + 1) * outputs {
        sum += (Double(predictions[index]) - Double(targets[index])).magnitude
      }
      return sum / Double(outputs)
    }
  }
}
