internal import JSON
internal import Kernels
internal import Model
internal import Optimization

/// A model that descends along the gradients of rows that are ready for it.
final class GradientLearner {
  private let settings: LearnerSettings
  private(set) var model: Model
  private var optimizer: Optimizer
  var parameters: FloatBuffer
  /// The sum over the rows accumulated since the last step.
  var gradient: FloatBuffer
  /// Whether rows were accumulated since the last step.
  private var isAccumulating = false
  private var workspace: Workspace
  private var losses = FloatBuffer(count: 0)
  private var scores = FloatBuffer(count: 0)
  private var rates = FloatBuffer(count: 0)
  private var biases: FloatBuffer
  var steps: Int { optimizer.steps }
  /// Multiplies the schedule's learning rate.
  var rateFactor = 1.0

  /// One that has learned nothing. A model of one layer begins at 0, one of several with the law of its layers.
  init(_ settings: LearnerSettings, model: Model) {
    self.settings = settings
    self.model = model
    optimizer = Optimizer(settings.optimizer, penalty: settings.penalty, layout: model.layout)
    parameters = FloatBuffer(count: model.layout.count)
    gradient = FloatBuffer(count: model.layout.count)
    workspace = Workspace(model, rows: 1)
    biases = FloatBuffer(count: model.outputs)
    if model.depth > 1 { model.initialize(&parameters, seed: settings.seed) }
  }

  private var rate: Double { rate(ofStep: optimizer.steps) }

  private func rate(ofStep step: Int) -> Double {
    settings.schedule.rate(base: settings.optimizer.learningRate * rateFactor, step: step, totalSteps: 0)
  }

  /// Whether steps of one row can be made in a run.
  private var descends: Bool { model.hasOneScore && optimizer.isDescent && settings.biasLearningRate == nil }

  /// Makes a step for every `rowsPerStep` of the first `count` rows, the rest being the last one; outcomes are added.
  /// - Returns: how many rows were learned: fewer where loss or gradient of the next step are not finite.
  func learn(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, count: Int, rowsPerStep: Int,
    outcomes: inout Outcomes
  ) -> Int {
    if rowsPerStep == 1, descends { return descend(features, targets, count, &outcomes) }
    var row = 0
    while row < count {
      let rows = min(rowsPerStep, count - row)
      let isFinite = gradient(features, targets, row, rows, accumulate: false)
      guard isFinite else {
        gradient.fill(with: 0)
        break
      }
      record(targets, row, rows, &outcomes)
      step(samples: rows)
      row += rows
    }
    return row
  }

  private func descend(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, _ count: Int, _ outcomes: inout Outcomes
  ) -> Int {
    scores.reserve(count)
    losses.reserve(count)
    rates.reserve(count)
    if settings.schedule.kind == .constant, optimizer.steps >= settings.schedule.warmupSteps {
      rates.fill(0..<count, with: Float(rate))
    } else {
      for row in 0..<count { rates[row] = Float(rate(ofStep: optimizer.steps + row)) }
    }
    let descent = LinearRows.descend(
      features, RowSelection(first: 0, count: count), columns: model.inputs, targets: targets, parameters: &parameters,
      rates: rates,
      penalty: Update.Gradient(scale: 1, l1: Float(settings.penalty.l1), l2: Float(settings.penalty.l2)),
      loss: model.pointLoss, scores: &scores, losses: &losses)
    optimizer.steps += descent.steps
    outcomes.add(scores, targets, first: 0, losses: losses, rows: descent.steps, outputs: 1)
    return descent.steps
  }

  /// Adds the gradient of rows to `gradient`, and their outcomes.
  /// - Returns: false, with `gradient` and outcomes as they were, where loss or gradient are not finite.
  func accumulate(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, count: Int, outcomes: inout Outcomes
  ) -> Bool {
    let before = isAccumulating ? gradient.values() : []
    guard gradient(features, targets, 0, count, accumulate: isAccumulating) else {
      if isAccumulating { gradient.copy(from: before) } else { gradient.fill(with: 0) }
      return false
    }
    isAccumulating = true
    record(targets, 0, count, &outcomes)
    return true
  }

  /// Writes or adds the gradient of the summed loss; false where it is not finite.
  private func gradient(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, _ first: Int, _ rows: Int, accumulate: Bool
  ) -> Bool {
    reserve(rows: rows)
    let sum =
      if rows == 1, model.hasOneScore {
        model.accumulateGradient(
          parameters: parameters, features: features, rows: RowSelection(first: first, count: 1), targets: targets,
          workspace: workspace, gradient: &gradient, at: 0, accumulate: accumulate)
      } else {
        model.accumulateGradient(
          parameters: parameters, features: features, view: view(first, rows), targets: targets,
          targetsOffset: first * model.targetsPerRow, workspace: workspace, gradient: &gradient, at: 0,
          accumulate: accumulate)
      }
    return sum.isFinite && Elementwise.isFinite(gradient, 0..<gradient.count)
  }

  private func view(_ first: Int, _ rows: Int) -> MatrixView {
    MatrixView(offset: first * model.inputs, rows: rows, columns: model.inputs)
  }

  private func reserve(rows: Int) {
    if workspace.capacity < rows { workspace = Workspace(model, rows: rows) }
    losses.reserve(rows)
  }

  private func record(_ targets: borrowing FloatBuffer, _ first: Int, _ rows: Int, _ outcomes: inout Outcomes) {
    model.loss.copyRows(of: workspace, to: &losses)
    outcomes.add(workspace.outputs, targets, first: first, losses: losses, rows: rows, outputs: model.outputs)
  }

  /// Adds what the model says of the first `count` rows.
  func predict(_ features: borrowing FloatBuffer, count: Int, outcomes: inout Outcomes) {
    reserve(rows: count)
    model.forward(parameters: parameters, features: features, view: view(0, count), workspace: workspace)
    outcomes.add(workspace.outputs, rows: count, outputs: model.outputs)
  }

  /// Makes a step with the mean gradient of `samples` rows, whose sum is in `gradient`, and empties that.
  func step(samples: Int) {
    let scale = 1 / Float(samples)
    if let rate = settings.biasLearningRate {
      // The biases are the last of the parameters; what the optimizer remembers of them does not matter.
      let first = parameters.count - model.outputs
      for output in 0..<model.outputs {
        biases[output] = parameters[first + output] - Float(rate) * scale * gradient[first + output]
      }
      optimizer.update(parameters: &parameters, gradient: gradient, scale: scale, learningRate: self.rate)
      parameters.copy(from: biases, to: first)
    } else {
      optimizer.update(parameters: &parameters, gradient: gradient, scale: scale, learningRate: rate)
    }
    gradient.fill(with: 0)
    isAccumulating = false
  }

  /// Forgets what the optimizer remembers.
  func resetOptimizer() {
    optimizer = Optimizer(settings.optimizer, penalty: settings.penalty, layout: model.layout)
  }

  /// Remembers the mean of what other optimizers do, by their steps; and as many steps as the one that made most.
  func takeMean(of others: [GradientLearner]) {
    let total = Double(others.reduce(0) { $0 + $1.steps })
    guard total > 0 else { return }
    for index in optimizer.stateNames.indices {
      // This learner may be among the others.
      var mean = FloatBuffer(count: parameters.count)
      for other in others {
        let weight = Float(Double(other.steps) / total)
        other.optimizer.withState(index) { Elementwise.add($0, 0..<$0.count, times: weight, to: &mean, at: 0) }
      }
      optimizer.updateState(index) { $0.copy(from: mean) }
    }
    optimizer.steps = others.reduce(0) { max($0, $1.steps) }
  }

  /// Takes the place of the model that has grown.
  func grow(_ growth: ModelGrowth) {
    var grown = FloatBuffer(count: growth.new.layout.count)
    growth.copy(parameters, to: &grown)
    var next = Optimizer(settings.optimizer, penalty: settings.penalty, layout: growth.new.layout)
    next.steps = optimizer.steps
    for index in optimizer.stateNames.indices {
      var state = FloatBuffer(count: growth.new.layout.count)
      optimizer.withState(index) { growth.copy($0, to: &state) }
      next.updateState(index) { $0.copy(from: state) }
    }
    model = growth.new
    parameters = grown
    optimizer = next
    gradient = FloatBuffer(count: model.layout.count)
    workspace = Workspace(model, rows: workspace.capacity)
    biases = FloatBuffer(count: model.outputs)
  }
}

extension GradientLearner {
  var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("steps", .integer(optimizer.steps)), ("rate_factor", .bits(rateFactor)),
      ("parameters", .bits(parameters.values())), ("gradient", .bits(gradient.values())),
    ]
    for (index, name) in optimizer.stateNames.enumerated() {
      members.append((name, .bits(optimizer.withState(index) { $0.values() })))
    }
    return .object(members)
  }

  func resume(_ state: StateReader) throws(OnlineError) {
    optimizer.steps = try state.count("steps")
    rateFactor = try state.double("rate_factor")
    parameters.copy(from: try state.floats("parameters", count: parameters.count))
    gradient.copy(from: try state.floats("gradient", count: gradient.count))
    isAccumulating = true
    for (index, name) in optimizer.stateNames.enumerated() {
      let values = try state.floats(name, count: parameters.count)
      optimizer.updateState(index) { $0.copy(from: values) }
    }
  }
}
