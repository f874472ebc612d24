internal import JSON
internal import Kernels
internal import Model

/// A linear model that is the least-squares solution of all rows so far.
final class LeastSquaresLearner {
  private let model: Model
  /// All rows that are known.
  private var known: RecursiveLeastSquares
  /// What all ranks knew after the last exchange, and this rank's rows since; nil where nothing is exchanged.
  private var shared: RecursiveLeastSquares?
  private var own: RecursiveLeastSquares?
  /// The solution, as a model has it.
  var parameters: FloatBuffer
  var noGradient = FloatBuffer(count: 0)
  private var scores: FloatBuffer
  private var losses = FloatBuffer(count: 1)

  init(_ settings: LearnerSettings, model: Model, sharesEvidence: Bool) {
    self.model = model
    known = RecursiveLeastSquares(
      inputs: settings.inputs, outputs: settings.outputs, forgetting: settings.forgetting, ridge: settings.ridge)
    if sharesEvidence { (shared, own) = (known, known.empty) }
    parameters = FloatBuffer(count: model.layout.count)
    scores = FloatBuffer(count: settings.outputs)
  }

  var rows: Int { known.rows }
  var solution: [Double] { known.solution }

  /// Predicts every `rowsPerStep` of the first `count` rows and takes them into the solution; outcomes are added.
  /// - Returns: how many rows were learned: fewer where a loss is not finite any more.
  func learn(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, count: Int, rowsPerStep: Int,
    outcomes: inout Outcomes
  ) -> Int {
    var row = 0
    while row < count {
      let rows = row..<min(row + rowsPerStep, count)
      let start = outcomes.count
      for row in rows {
        let loss = predict(features, row, targets)
        guard loss.isFinite else {
          outcomes.keep(first: start)
          return rows.lowerBound
        }
        losses[0] = loss
        outcomes.add(scores, targets, first: row, losses: losses, rows: 1, outputs: known.outputs)
      }
      for row in rows {
        known.add(features, at: row * model.inputs, targets, at: row * known.outputs)
        own?.add(features, at: row * model.inputs, targets, at: row * known.outputs)
      }
      solve()
      row = rows.upperBound
    }
    return count
  }

  /// Adds what the solution says of the first `count` rows.
  func predict(_ features: borrowing FloatBuffer, count: Int, outcomes: inout Outcomes) {
    for row in 0..<count {
      predict(features, row)
      outcomes.add(scores, rows: 1, outputs: known.outputs)
    }
  }

  private func predict(_ features: borrowing FloatBuffer, _ row: Int) {
    for output in 0..<known.outputs {
      scores[output] = Float(known.prediction(features, at: row * model.inputs, output: output))
    }
  }

  /// Predicts a row; its loss.
  private func predict(_ features: borrowing FloatBuffer, _ row: Int, _ targets: borrowing FloatBuffer) -> Float {
    predict(features, row)
    var sum: Float = 0
    for output in 0..<known.outputs {
      let error = scores[output] - targets[row * known.outputs + output]
      sum += error * error
    }
    return sum / Float(known.outputs)
  }

  private func solve() {
    known.solve()
    copySolution()
  }

  private func copySolution() {
    let (inputs, outputs) = (model.inputs, known.outputs)
    for output in 0..<outputs {
      for input in 0..<inputs {
        parameters[output * inputs + input] = Float(known.solution[output * known.size + input])
      }
      parameters[outputs * inputs + output] = Float(known.solution[output * known.size + inputs])
    }
  }

  /// Forgets all rows; the solution stays as it is.
  func forget() {
    known.forget()
    shared?.forget()
    own?.forget()
  }

  func takeOwn() -> [Double] {
    guard let taken = own else { return known.empty.encoded }
    own = known.empty
    return taken.encoded
  }

  func absorb(_ ranks: [[Double]]) throws(OnlineError) {
    guard var all = shared else { return }
    for numbers in ranks {
      var other = known.empty
      try other.decode(numbers)
      all.merge(other)
    }
    setCommon(all)
  }

  /// What all ranks know.
  var common: [Double] { (shared ?? known).encoded }

  func adopt(_ numbers: [Double]) throws(OnlineError) {
    guard var all = shared else { return }
    try all.decode(numbers)
    setCommon(all)
  }

  private func setCommon(_ all: RecursiveLeastSquares) {
    shared = all
    known = all
    if let own, own.rows > 0 { known.merge(own) }
    solve()
  }
}

extension LeastSquaresLearner {
  var json: JSONValue {
    var members: [(String, JSONValue)] = [("known", known.json)]
    if let shared, let own { members += [("shared", shared.json), ("own", own.json)] }
    return .object(members)
  }

  /// Goes on where the one that gave `state` was; what one rank knew is what all know.
  func resume(_ state: StateReader) throws(OnlineError) {
    try known.resume(state.member("known"))
    copySolution()
    guard shared != nil else { return }
    if state.node["shared"] == nil {
      shared = known
    } else {
      try shared?.resume(state.member("shared"))
      try own?.resume(state.member("own"))
    }
  }
}
