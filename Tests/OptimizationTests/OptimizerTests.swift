import Kernels
import Model
import Optimization
import Testing

@Suite struct OptimizerTests {
  /// Two weights and a bias.
  private func layout() throws -> ParameterLayout {
    try Model(kind: .linear, sizes: [2, 1], loss: .squared).layout
  }

  @Test func penaltiesAreForWeightsOnly() throws {
    var parameters = FloatBuffer([2, -3, 4])
    var optimizer = Optimizer(OptimizerSettings(.sgd), penalty: Penalty(l1: 0.5, l2: 0.1), layout: try layout())
    optimizer.update(parameters: &parameters, gradient: FloatBuffer([8, 8, 8]), scale: 0.125, learningRate: 1)
    for (value, expected) in zip(parameters.values(), [2 - (1 + 0.2 + 0.5), -3 - (1 - 0.3 - 0.5), 3] as [Float]) {
      #expect(abs(value - expected) < 1e-6)
    }
    // At 0 the penalty has no sign.
    parameters = FloatBuffer(count: 3)
    optimizer.update(parameters: &parameters, gradient: FloatBuffer(count: 3), scale: 1, learningRate: 1)
    #expect(parameters.values() == [0, 0, 0])
  }

  @Test func decoupledDecayIsForWeightsOnly() throws {
    var settings = OptimizerSettings(.adamw)
    settings.weightDecay = 0.5
    var parameters = FloatBuffer([2, -3, 4])
    var optimizer = Optimizer(settings, layout: try layout())
    optimizer.update(parameters: &parameters, gradient: FloatBuffer(count: 3), scale: 1, learningRate: 0.1)
    #expect(abs(parameters[0] - 1.9) < 1e-6 && abs(parameters[1] + 2.85) < 1e-6 && parameters[2] == 4)
  }

  @Test func defaultsArePyTorchs() {
    #expect(OptimizerSettings(.sgd).learningRate == 1e-3)
    #expect(OptimizerSettings(.nesterov).learningRate == 1e-3 && OptimizerSettings(.nesterov).momentum == 0.9)
    #expect(OptimizerSettings(.adagrad).learningRate == 1e-2 && OptimizerSettings(.adagrad).epsilon == 1e-10)
    #expect(OptimizerSettings(.rmsprop).learningRate == 1e-2 && OptimizerSettings(.rmsprop).decay == 0.99)
    #expect(OptimizerSettings(.rmsprop).epsilon == 1e-8)
    let adam = OptimizerSettings(.adam)
    #expect(adam.learningRate == 1e-3 && adam.beta1 == 0.9 && adam.beta2 == 0.999 && adam.epsilon == 1e-8)
    #expect(adam.weightDecay == 0 && OptimizerSettings(.adamw).weightDecay == 1e-2)
  }

  @Test func stateHasNames() throws {
    for kind in OptimizerKind.allCases {
      let optimizer = Optimizer(OptimizerSettings(kind), layout: try layout())
      #expect(optimizer.stateNames == Optimizer.stateNames(kind))
      for index in optimizer.stateNames.indices {
        let count = optimizer.withState(index) { $0.count }
        #expect(count == 3)
      }
    }
    #expect(Optimizer.stateNames(.adam) == ["first_moment", "second_moment"])
  }

  @Test func clippingIsPyTorchs() {
    #expect(clipScale(norm: 5, limit: 0) == 1)
    #expect(clipScale(norm: 5, limit: 6) == 1)
    #expect(clipScale(norm: 5, limit: 1) == 1 / 5.000001)
    #expect(clipScale(norm: 0, limit: 1) == 1)
    #expect(clipScale(norm: .nan, limit: 1).isNaN)
  }
}

@Suite struct FTRLTests {
  /// Algorithm 1 of McMahan et al. 2013 in Double, one coordinate.
  private struct Reference {
    let (alpha, beta, l1, l2): (Double, Double, Double, Double)
    var z: Double
    var n = 0.0

    init(alpha: Double, beta: Double, l1: Double, l2: Double, first: Double) {
      (self.alpha, self.beta, self.l1, self.l2) = (alpha, beta, l1, l2)
      // The z that reproduces the first parameter.
      z = -(first * (beta / alpha + l2)) - (first > 0 ? l1 : first < 0 ? -l1 : 0)
    }

    var w: Double {
      abs(z) <= l1 ? 0 : -(z - (z < 0 ? -l1 : l1)) / ((beta + n.squareRoot()) / alpha + l2)
    }

    mutating func step(_ g: Double) {
      let sigma = ((n + g * g).squareRoot() - n.squareRoot()) / alpha
      z += g - sigma * w
      n += g * g
    }
  }

  @Test(arguments: [(0, 0), (0.3, 0), (0, 0.2), (2, 0.1)] as [(Double, Double)])
  func agreesWithThePaper(l1: Double, l2: Double) throws {
    let model = try Model(kind: .linear, sizes: [40, 1], loss: .squared)
    let count = model.layout.count
    var random = RandomStream(seed: 12)
    // Some start at 0.
    var parameters = FloatBuffer((0..<count).map { $0 % 4 == 0 ? 0 : random.uniform() - 0.5 })
    var settings = OptimizerSettings(.ftrl)
    settings.learningRate = 0.2
    var optimizer = Optimizer(settings, penalty: Penalty(l1: l1, l2: l2), layout: model.layout)
    var references = (0..<count).map { index in
      let isBias = index == count - 1
      return Reference(
        alpha: 0.2, beta: 1, l1: isBias ? 0 : l1, l2: isBias ? 0 : l2, first: Double(parameters[index]))
    }
    var gradient = FloatBuffer(count: count)
    var zeros = 0
    for _ in 0..<200 {
      for index in 0..<count {
        // Drifting gradients, so that some weights leave 0 and come back.
        gradient[index] = random.uniform() - 0.5 + 0.3 * parameters[index]
        references[index].step(Double(gradient[index]))
      }
      optimizer.update(parameters: &parameters, gradient: gradient, scale: 1, learningRate: 0.2)
      for index in 0..<count {
        let expected = references[index].w
        if expected == 0 { zeros += 1 }
        #expect(abs(Double(parameters[index]) - expected) < 2e-5)
      }
    }
    #expect(l1 == 0 || zeros > 100)
  }

  /// A learning rate that changes does not by itself move a weight.
  @Test func warmUpDoesNotScaleTheWeights() throws {
    let model = try Model(kind: .linear, sizes: [2, 1], loss: .squared)
    var parameters = FloatBuffer([0.5, -0.25, 1])
    var optimizer = Optimizer(OptimizerSettings(.ftrl), penalty: Penalty(l1: 0.1), layout: model.layout)
    for step in 1...10 {
      optimizer.update(
        parameters: &parameters, gradient: FloatBuffer([1e-6, 1e-6, 1e-6]), scale: 1, learningRate: 0.01 * Double(step))
    }
    for (value, expected) in zip(parameters.values(), [0.5, -0.25, 1] as [Float]) {
      #expect(abs(value - expected) < 1e-4)
    }
  }
}
