import Kernels
import Model
import Optimization
import Testing

@Suite struct TrajectoryTests {
  /// The losses of all steps and the last weights are PyTorch's.
  @Test(arguments: Trajectory.names) func agreesWithPyTorch(_ name: String) throws {
    let trajectory = try Trajectory.load(name)
    let model = try trajectory.model()
    let training = Training(model, optimizer: trajectory.optimizer(model), trajectory)
    let losses = training.run(steps: 0..<trajectory.job.steps)

    #expect(losses.count == trajectory.losses.count)
    for (step, (loss, expected)) in zip(losses, trajectory.losses).enumerated() {
      #expect(abs(loss - expected) <= 1e-4 * abs(expected), "step \(step)")
    }
    for entry in model.layout.entries {
      let expected = try #require(trajectory.last[entry.name]).values
      let largest = expected.reduce(0) { max($0, abs($1)) }
      for (index, (value, truth)) in zip(training.parameters.values(in: entry.range), expected).enumerated() {
        #expect(abs(Double(value) - truth) <= 1e-4 * largest, "\(entry.name) \(index)")
      }
    }
  }

  /// A training that was stopped and continued from its saved state gives the bits of one that was not.
  @Test(arguments: OptimizerKind.allCases, [0, 1, 7])
  func stateAndStepsAreAllThatIsRemembered(_ kind: OptimizerKind, stop: Int) throws {
    let trajectory = try Trajectory.load("mlp-relu-adam")
    let model = try trajectory.model()
    let penalty = Penalty(l1: 1e-3, l2: 1e-2)
    let whole = Training(
      model, optimizer: Optimizer(OptimizerSettings(kind), penalty: penalty, layout: model.layout), trajectory)
    _ = whole.run(steps: 0..<12)

    let before = Training(
      model, optimizer: Optimizer(OptimizerSettings(kind), penalty: penalty, layout: model.layout), trajectory)
    _ = before.run(steps: 0..<stop)
    let after = Training(
      model, optimizer: Optimizer(OptimizerSettings(kind), penalty: penalty, layout: model.layout), trajectory)
    after.parameters.copy(from: before.parameters)
    for index in before.optimizer.stateNames.indices {
      before.optimizer.withState(index) { state in after.optimizer.updateState(index) { $0.copy(from: state) } }
    }
    after.optimizer.steps = before.optimizer.steps
    _ = after.run(steps: stop..<12)
    #expect(after.optimizer.steps == 12)
    #expect(after.parameters.values().map(\.bitPattern) == whole.parameters.values().map(\.bitPattern))
  }

  /// Parameters cut into parts, by one optimizer or by several that own a part each, give the same bits.
  @Test(arguments: OptimizerKind.allCases) func partsGiveTheBitsOfTheWhole(_ kind: OptimizerKind) throws {
    let trajectory = try Trajectory.load("mlp-relu-adam")
    let model = try trajectory.model()
    let penalty = Penalty(l1: 1e-3, l2: 1e-2)
    var random = RandomStream(seed: 3)
    var gradient = FloatBuffer(count: model.layout.count)
    let start = FloatBuffer((0..<model.layout.count).map { _ in random.uniform() - 0.5 })
    var whole = FloatBuffer(start.values())
    var parts = FloatBuffer(start.values())
    var shares = FloatBuffer(start.values())
    let cuts = [0..<5, 5..<6, 6..<200, 200..<model.layout.count]

    var one = Optimizer(OptimizerSettings(kind), penalty: penalty, layout: model.layout)
    var cut = Optimizer(OptimizerSettings(kind), penalty: penalty, layout: model.layout)
    var low = Optimizer(OptimizerSettings(kind), penalty: penalty, layout: model.layout, owned: 0..<123)
    var high = Optimizer(
      OptimizerSettings(kind), penalty: penalty, layout: model.layout, owned: 123..<model.layout.count)
    for _ in 0..<3 {
      for index in 0..<gradient.count { gradient[index] = random.uniform() - 0.5 }
      one.update(parameters: &whole, gradient: gradient, scale: 0.25, learningRate: 0.01)
      for range in cuts {
        cut.update(
          parameters: &parts, gradient: gradient, scale: 0.25, learningRate: 0.01, range: range,
          completesStep: range == cuts[3])
      }
      low.update(parameters: &shares, gradient: gradient, scale: 0.25, learningRate: 0.01)
      high.update(parameters: &shares, gradient: gradient, scale: 0.25, learningRate: 0.01)
    }
    #expect(cut.steps == 3 && low.steps == 3)
    #expect(parts.values().map(\.bitPattern) == whole.values().map(\.bitPattern))
    #expect(shares.values().map(\.bitPattern) == whole.values().map(\.bitPattern))
    #expect(whole.values() != start.values())
  }
}

/// The training loop of the reference: batches in row order, starting again after the last row.
final class Training {
  let model: Model
  var optimizer: Optimizer
  var parameters: FloatBuffer
  private var gradient: FloatBuffer
  private let features: FloatBuffer
  private let targets: FloatBuffer
  private let workspace: Workspace
  private let batch: Int
  private let rows: Int

  init(_ model: Model, optimizer: consuming Optimizer, _ trajectory: Trajectory) {
    self.model = model
    self.optimizer = optimizer
    batch = trajectory.job.batchSize
    parameters = FloatBuffer(count: model.layout.count)
    for entry in model.layout.entries {
      parameters.copy(from: (trajectory.first[entry.name]?.values ?? []).map(Float.init), at: entry.range.lowerBound)
    }
    gradient = FloatBuffer(count: model.layout.count)
    features = FloatBuffer(trajectory.features.values.map(Float.init))
    targets = FloatBuffer(trajectory.targets.values.map(Float.init))
    rows = features.count / model.inputs
    workspace = Workspace(model, rows: batch)
  }

  /// The loss of each step.
  func run(steps: Range<Int>) -> [Double] {
    steps.map { step in
      let start = step * batch % rows
      let sum = model.accumulateGradient(
        parameters: parameters, features: features,
        view: MatrixView(rows: rows, columns: model.inputs).rows(start..<start + batch), targets: targets,
        targetsOffset: start * model.targetsPerRow, workspace: workspace, gradient: &gradient, at: 0, accumulate: false)
      optimizer.update(
        parameters: &parameters, gradient: gradient, scale: 1 / Float(batch),
        learningRate: optimizer.settings.learningRate)
      return sum / Double(batch)
    }
  }
}
