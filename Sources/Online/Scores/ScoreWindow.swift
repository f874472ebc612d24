internal import JSON
internal import Kernels

/// The last rows of a stream, of which the measures are made when they are asked for.
struct ScoreWindow: Equatable, Sendable {
  /// How many rows it holds at most.
  let capacity: Int
  private let width: Int
  private var targets: [Float] = []
  private var predictions: [Float] = []
  private var scores: [Float] = []
  private var losses: [Float] = []
  /// Where the next row goes, once the window is full.
  private var next = 0

  init(capacity: Int, task: ScoreTask) {
    self.capacity = capacity
    width = task.width
  }

  private var count: Int { losses.count }

  /// Adds rows of `outcomes`, in their order.
  mutating func add(_ outcomes: Outcomes, _ rows: Range<Int>) {
    // Only the last ones will be seen.
    for row in max(rows.lowerBound, rows.upperBound - capacity)..<rows.upperBound {
      let part = row * width..<(row + 1) * width
      if count < capacity {
        targets += outcomes.targets[part]
        predictions += outcomes.predictions[part]
        losses.append(outcomes.losses[row])
        if !outcomes.scores.isEmpty { scores.append(outcomes.scores[row]) }
      } else {
        for output in 0..<width {
          targets[next * width + output] = outcomes.targets[row * width + output]
          predictions[next * width + output] = outcomes.predictions[row * width + output]
        }
        losses[next] = outcomes.losses[row]
        if !outcomes.scores.isEmpty { scores[next] = outcomes.scores[row] }
        next = next + 1 == capacity ? 0 : next + 1
      }
    }
  }

  /// There are more classes than two from now on, which no score ranks.
  mutating func endRanking() { scores.removeAll() }

  /// Adds the rows of another window, which may make it larger than its capacity: only its measures are of use then.
  mutating func join(_ other: ScoreWindow) {
    targets += other.targets
    predictions += other.predictions
    scores += other.scores
    losses += other.losses
  }

  func measures(_ task: ScoreTask) -> Measures {
    var tally = Tally(task)
    switch task {
    case .classification(let classes):
      for row in 0..<count {
        tally.add(
          weight: 1, target: Int(targets[row]), predicted: Int(predictions[row]), classes: classes, loss: losses[row])
      }
    case .regression:
      for row in 0..<count {
        tally.add(
          weight: 1, targets: targets.span, predictions: predictions.span, at: row * width, loss: losses[row])
      }
    }
    var measures = Measures(tally)
    if task == .classification(classes: 2) { measures.setArea(area) }
    return measures
  }

  /// The exact area under the ROC curve, equal scores counting half (Mann and Whitney 1947).
  private var area: (value: Double, error: Double)? {
    guard scores.count == count else { return nil }
    let keys = zip(scores, targets).map { UInt64($0.orderedBits) << 1 | ($1 > 0.5 ? 1 : 0) }.sorted()
    var (below, positives, area) = (0.0, 0.0, 0.0)
    var start = 0
    while start < keys.count {
      var (end, here) = (start, 0.0)
      while end < keys.count, keys[end] >> 1 == keys[start] >> 1 {
        here += Double(keys[end] & 1)
        end += 1
      }
      let others = Double(end - start) - here
      area += here * (below + others / 2)
      below += others
      positives += here
      start = end
    }
    guard positives > 0, below > 0 else { return nil }
    return (area / positives / below, 0)
  }
}

extension ScoreWindow {
  var json: JSONValue {
    .object([
      ("targets", .bits(targets)), ("predictions", .bits(predictions)), ("scores", .bits(scores)),
      ("losses", .bits(losses)), ("next", .integer(next)),
    ])
  }

  init(capacity: Int, task: ScoreTask, _ state: StateReader) throws(OnlineError) {
    self.init(capacity: capacity, task: task)
    losses = try state.floats("losses")
    targets = try state.floats("targets", count: losses.count * width)
    predictions = try state.floats("predictions", count: losses.count * width)
    scores = try state.floats("scores")
    next = try state.count("next")
    guard scores.isEmpty || scores.count == count, next < max(count, 1) else {
      throw state.error("a window of \(count) rows with \(scores.count) scores, the next at \(next)")
    }
    if case .classification(let classes) = task {
      for value in targets + predictions where !(value >= 0 && value < Float(classes)) {
        throw state.error("class \(value) of \(classes)")
      }
    }
  }
}
