/// Optimizer steps as one fused pass over parameters, gradient and state.
///
/// All buffers but the state share indices; the state of index i stands at `i - stateStart`. A step is a function of
/// each element alone: any cut of a range into parts gives the same bits.
public enum Update {
  /// What makes the gradient of an element from the stored sum: `sum * scale + l2 * w + l1 * sign(w)`.
  public struct Gradient: Sendable {
    public var scale: Float
    public var l1: Float
    public var l2: Float

    public init(scale: Float, l1: Float, l2: Float) {
      self.scale = scale
      self.l1 = l1
      self.l2 = l2
    }

    @inline(__always)
    func of(_ sum: Float, at w: Float) -> Float {
      let sign: Float = w > 0 ? 1 : (w < 0 ? -1 : 0)
      return (sum * scale).addingProduct(l2, w).addingProduct(l1, sign)
    }
  }

  /// `w -= rate * g`
  public static func descent(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, gradient: borrowing FloatBuffer, _ terms: Gradient,
    rate: Float
  ) {
    parameters.check(range)
    gradient.check(range)
    let (w, sums) = unsafe (parameters.base + range.lowerBound, gradient.base + range.lowerBound)
    for index in 0..<range.count {
      let weight = unsafe w[index]
      unsafe w[index] = weight.addingProduct(-rate, terms.of(sums[index], at: weight))
    }
  }

  /// `v = momentum * v + g`, then `w -= rate * v`, or `w -= rate * (g + momentum * v)` where `nesterov` is set.
  ///
  /// A `v` of zeros makes the first `v` the gradient itself, which is PyTorch's first step.
  public static func momentum(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, gradient: borrowing FloatBuffer, _ terms: Gradient,
    velocity: inout FloatBuffer, stateStart: Int, rate: Float, momentum: Float, nesterov: Bool
  ) {
    if nesterov {
      stateful(&parameters, range, gradient, terms, &velocity, stateStart) { w, g, v in
        v = g.addingProduct(momentum, v)
        w = w.addingProduct(-rate, g.addingProduct(momentum, v))
      }
    } else {
      stateful(&parameters, range, gradient, terms, &velocity, stateStart) { w, g, v in
        v = g.addingProduct(momentum, v)
        w = w.addingProduct(-rate, v)
      }
    }
  }

  /// `s += g²`, then `w -= rate * g / (√s + epsilon)`.
  public static func adagrad(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, gradient: borrowing FloatBuffer, _ terms: Gradient,
    squares: inout FloatBuffer, stateStart: Int, rate: Float, epsilon: Float
  ) {
    stateful(&parameters, range, gradient, terms, &squares, stateStart) { w, g, s in
      s = s.addingProduct(g, g)
      w -= rate * g / (s.squareRoot() + epsilon)
    }
  }

  /// `s = decay * s + (1 - decay) g²`, then `w -= rate * g / (√s + epsilon)`.
  public static func rmsprop(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, gradient: borrowing FloatBuffer, _ terms: Gradient,
    squares: inout FloatBuffer, stateStart: Int, rate: Float, decay: Double, epsilon: Float
  ) {
    let (keep, take) = (Float(decay), Float(1 - decay))
    stateful(&parameters, range, gradient, terms, &squares, stateStart) { w, g, s in
      s = (keep * s).addingProduct(take * g, g)
      w -= rate * g / (s.squareRoot() + epsilon)
    }
  }

  /// What a step of Adam is made of, apart from the element.
  public struct AdamStep: Sendable {
    /// The number of the step, counted from 1, and its learning rate.
    public let step: Int
    public let learningRate: Double
    let rate: Float
    let rootScale: Float
    let epsilon: Float
    let (firstTake, secondKeep, secondTake): (Float, Float, Float)

    /// Bias corrections are computed in Double.
    public init(step: Int, rate: Double, beta1: Double, beta2: Double, epsilon: Double) {
      self.step = step
      learningRate = rate
      let correction1 = 1 - ScalarMath.power(beta1, Double(step))
      let correction2 = 1 - ScalarMath.power(beta2, Double(step))
      self.rate = Float(rate / correction1)
      rootScale = Float(1 / correction2.squareRoot())
      self.epsilon = Float(epsilon)
      firstTake = Float(1 - beta1)
      secondKeep = Float(beta2)
      secondTake = Float(1 - beta2)
    }
  }

  /// Adam: `m += (1 - beta1) (g - m)`, `v = beta2 v + (1 - beta2) g²`, `w -= rate m̂ / (√v̂ + epsilon)`; with decoupled
  /// decay `w` is first multiplied by `shrink`, which is `1 - rate * weightDecay`.
  public static func adam(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, gradient: borrowing FloatBuffer, _ terms: Gradient,
    first: inout FloatBuffer, second: inout FloatBuffer, stateStart: Int, step: AdamStep,
    shrink: Float
  ) {
    stateful(&parameters, range, gradient, terms, &first, &second, stateStart) { w, g, m, v in
      m = m.addingProduct(step.firstTake, g - m)
      v = (step.secondKeep * v).addingProduct(step.secondTake * g, g)
      let root = step.epsilon.addingProduct(v.squareRoot(), step.rootScale)
      w = (w * shrink) - step.rate * m / root
    }
  }

  /// FTRL-proximal with a rate for each coordinate: `n += g²`, `z += g - σ w`, and the `w` that minimises
  /// `z w + D w² / 2 + l1 |w|` with `D = (beta + √n) / alpha + l2`.
  ///
  /// `terms` has no penalties here: `l1` and `l2` enter in closed form. Where w is not 0, z is taken from w itself, `z
  /// = -(D w + sign(w) l1)`, which is the same number. So the first parameters are respected, and a learning rate that
  /// changes from step to step moves no weight by itself.
  ///
  /// Source: H. B. McMahan et al., Ad Click Prediction: a View from the Trenches (KDD 2013), algorithm 1.
  public static func ftrl(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, gradient: borrowing FloatBuffer, _ terms: Gradient,
    linear: inout FloatBuffer, squares: inout FloatBuffer, stateStart: Int, alpha: Double, beta: Double, l1: Float,
    l2: Float
  ) {
    let (rate, start) = (Float(1 / alpha), Float(beta))
    stateful(&parameters, range, gradient, terms, &linear, &squares, stateStart) { w, g, z, n in
      n = n.addingProduct(g, g)
      let curvature = l2.addingProduct(start + n.squareRoot(), rate)
      let sign: Float = w > 0 ? 1 : -1
      // z + g - σ w with z = -(D w + sign l1) and σ = D' - D.
      z = w == 0 ? z + g : (g - sign * l1).addingProduct(-curvature, w)
      let excess = abs(z) - l1
      w = excess <= 0 ? 0 : (z > 0 ? -excess : excess) / curvature
    }
  }
}

// MARK: - Loops

extension Update {
  @inline(__always)
  private static func stateful(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, _ gradient: borrowing FloatBuffer, _ terms: Gradient,
    _ state: inout FloatBuffer, _ stateStart: Int, _ step: (inout Float, Float, inout Float) -> Void
  ) {
    parameters.check(range)
    gradient.check(range)
    state.check(offset: range.lowerBound - stateStart, count: range.count)
    let (w, sums) = unsafe (parameters.base + range.lowerBound, gradient.base + range.lowerBound)
    let s = unsafe state.base + (range.lowerBound - stateStart)
    for index in 0..<range.count {
      var weight = unsafe w[index]
      var value = unsafe s[index]
      unsafe step(&weight, terms.of(sums[index], at: weight), &value)
      unsafe w[index] = weight
      unsafe s[index] = value
    }
  }

  @inline(__always)
  private static func stateful(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, _ gradient: borrowing FloatBuffer, _ terms: Gradient,
    _ first: inout FloatBuffer, _ second: inout FloatBuffer, _ stateStart: Int,
    _ step: (inout Float, Float, inout Float, inout Float) -> Void
  ) {
    parameters.check(range)
    gradient.check(range)
    first.check(offset: range.lowerBound - stateStart, count: range.count)
    second.check(offset: range.lowerBound - stateStart, count: range.count)
    let (w, sums) = unsafe (parameters.base + range.lowerBound, gradient.base + range.lowerBound)
    let start = range.lowerBound - stateStart
    let (s, t) = unsafe (first.base + start, second.base + start)
    for index in 0..<range.count {
      var weight = unsafe w[index]
      var value = unsafe s[index]
      var other = unsafe t[index]
      unsafe step(&weight, terms.of(sums[index], at: weight), &value, &other)
      unsafe w[index] = weight
      unsafe s[index] = value
      unsafe t[index] = other
    }
  }
}
