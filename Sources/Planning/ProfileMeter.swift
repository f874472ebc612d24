import Files
import Kernels
public import MPI
import Model
import Optimization
import Parallel

/// Measures what this machine takes for the parts of a training's steps, on all ranks at the same time: what ranks of a node share, its
/// memory and its clock, is then shared as in a training.
public final class ProfileMeter {
  /// Seconds after which what is left is not measured but taken to be like what was.
  private static let budget = 3.0
  /// Seconds of one measured call, at most; more rows are taken to be as many times as long.
  private static let mostSeconds = 0.1
  /// What slow processors compute and write, to know beforehand what would take too long.
  private static let multiplyAddsASecond = 2e10

  private static let floatsASecond = 2e9

  private let world: Communicator
  private let node: Communicator
  /// Floats that a step goes through beside what is measured.
  private var rest = FloatBuffer(count: 0)
  private var spent = 0.0

  /// Collective.
  public init(_ world: borrowing Communicator) throws {
    self.world = try world.duplicate()
    node = try world.splitByNode()
  }

  /// Seconds that measuring has taken so far, the same on all ranks.
  public var seconds: Double { spent }

  /// The profile of this machine for the layouts of `training` on `ranks` ranks. Collective; the same on all ranks.
  /// - Parameter reading: what reading costs.
  public func profile(
    _ training: PlannedTraining, ranks: Int, ranksPerNode: Int, reading: (gathering: CostCurve, loading: CostCurve)
  ) throws -> MachineProfile {
    let list = try MeasuringList(training, ranks: ranks, ranksPerNode: ranksPerNode)
    // Parameters, gradient and moments; more than any cache holds is no use.
    let stateCount = Optimizer.stateNames(training.optimizer.kind).count
    rest = FloatBuffer(count: min((2 + stateCount) * training.model.layout.count, 1 << 24))
    let most = 1 << 22
    let updates = (list.updates ?? 1...1).clamped(to: 1...most)
    let widths = (list.widths ?? 1...1).clamped(to: 1...most)
    return MachineProfile(
      host: Machine.hostName, ranks: node.size, memory: Machine.physicalMemoryBytes,
      layers: try layers(list.rows, of: training.model), update: try update(updates, training),
      addition: try addition(widths), check: try check(widths), gathering: reading.gathering, loading: reading.loading,
      exchange: try exchange())
  }

  /// The median of the seconds that `body` takes, that of the slowest rank. Collective.
  ///
  /// Between two calls go through the caches what the rest of a step brings through them.
  /// - Parameters:
  ///   - work: multiply-adds, or floats times ten.
  ///   - together: the ranks begin each call together.
  private func measure(_ work: Double, together: Bool = false, _ body: () throws -> Void) throws -> Double {
    let start = ContinuousClock.now
    rest.fill(with: 1)
    try body()
    let expected = max(work / Self.multiplyAddsASecond, 1e-6) + Double(rest.count) / Self.floatsASecond
    let repeats = max(3, min(101, Int(0.01 / expected)))
    var times: [Double] = []
    _ = try world.allReduce(0.0, .maximum)
    for _ in 0..<repeats {
      rest.fill(with: 1)
      if together { try world.barrier() }
      let start = ContinuousClock.now
      try body()
      times.append((ContinuousClock.now - start) / .seconds(1))
    }
    // All ranks spend alike, so that they stop alike.
    spent += try world.allReduce((ContinuousClock.now - start) / .seconds(1), .maximum)
    return try world.allReduce(times.sorted()[repeats / 2], .maximum)
  }

  // MARK: Layers

  private func layers(
    _ rows: [LayerShape: ClosedRange<Int>], of model: Model
  ) throws -> [LayerShape: MachineProfile.LayerCost] {
    var costs: [LayerShape: MachineProfile.LayerCost] = [:]
    // The small ones first: a large one is the more like another the larger it is.
    for (shape, range) in rows.sorted(by: { $0.key.isCheaper(than: $1.key) }) {
      guard spent < Self.budget || costs.isEmpty else { break }
      let affordable = max(1, Int(Self.mostSeconds * Self.multiplyAddsASecond / shape.work))
      let sizes = MeasuringList.sizes(range.clamped(to: 1...affordable), factor: 4)
      var (forward, backward): ([CostCurve.Point], [CostCurve.Point]) = ([], [])
      for rows in sizes {
        let seconds = try layer(shape, rows: rows, of: model)
        forward.append(CostCurve.Point(size: Double(rows), seconds: seconds.forward))
        backward.append(CostCurve.Point(size: Double(rows), seconds: seconds.backward))
      }
      costs[shape] = MachineProfile.LayerCost(forward: CostCurve(forward), backward: CostCurve(backward))
    }
    return costs
  }

  /// The passes of `rows` rows through a layer like that of `model`.
  private func layer(_ shape: LayerShape, rows: Int, of model: Model) throws -> (forward: Double, backward: Double) {
    let (whole, layer) = try shape.model(like: model)
    var parameters = FloatBuffer(count: whole.layout.count)
    whole.initialize(&parameters, seed: 1)
    let inputs = FloatBuffer(count: rows * shape.inputs)
    let targets = FloatBuffer(count: rows * whole.targetsPerRow)
    let view = MatrixView(rows: rows, columns: shape.inputs)
    var gradient = FloatBuffer(count: whole.layout.count)
    let work = shape.work * Double(rows)
    if shape.role == .only {
      let workspace = Workspace(whole, rows: rows)
      let seconds = try measure(work) {
        _ = whole.accumulateGradient(
          parameters: parameters, features: inputs, view: view, targets: targets, targetsOffset: 0,
          workspace: workspace, gradient: &gradient, at: 0, accumulate: false)
      }
      return (0, seconds)
    }
    let stage = whole.stage(layers: layer..<layer + 1)
    let offset = stage.parameters.lowerBound
    let workspace = Workspace(stage, rows: rows)
    let forward = try measure(work) {
      stage.forward(parameters: parameters, at: offset, inputs: inputs, .matrix(view), workspace: workspace)
      if shape.role == .last { _ = stage.lossSum(workspace, targets: targets, at: 0) }
    }
    let backward = try measure(work) {
      stage.backward(
        parameters: parameters, at: offset, inputs: inputs, .matrix(view), workspace: workspace, gradient: &gradient,
        accumulate: false)
    }
    return (forward, backward)
  }

  // MARK: Gradients and parameters

  private func update(_ range: ClosedRange<Int>, _ training: PlannedTraining) throws -> CostCurve {
    try curve(range, floats: 4) { count in
      let model = try Model(kind: .linear, sizes: [max(1, count - 1), 1], loss: .squared)
      var optimizer = Optimizer(training.optimizer, layout: model.layout)
      var parameters = FloatBuffer(count: model.layout.count)
      model.initialize(&parameters, seed: 1)
      let gradient = FloatBuffer(count: model.layout.count)
      return try measure(10 * Double(count)) {
        optimizer.update(parameters: &parameters, gradient: gradient, scale: 1, learningRate: 1e-3)
      }
    }
  }

  private func addition(_ range: ClosedRange<Int>) throws -> CostCurve {
    try curve(range, floats: 2) { count in
      var floats = FloatBuffer(count: 2 * count)
      return try measure(10 * Double(count)) { Elementwise.add(within: &floats, count..<2 * count, to: 0) }
    }
  }

  private func check(_ range: ClosedRange<Int>) throws -> CostCurve {
    try curve(range, floats: 1) { count in
      let floats = FloatBuffer(count: count)
      var isFinite = true
      return try measure(10 * Double(count)) { isFinite = Elementwise.isFinite(floats, 0..<count) && isFinite }
    }
  }

  private func curve(
    _ range: ClosedRange<Int>, floats: Int, _ seconds: (_ count: Int) throws -> Double
  ) throws -> CostCurve {
    CostCurve(
      try MeasuringList.sizes(range, factor: 8).map { CostCurve.Point(size: Double($0), seconds: try seconds($0)) })
  }

  // MARK: Messages within the node

  /// What an exchange takes in which each rank of the node brings so many bytes to the others.
  private func exchange() throws -> CostCurve {
    let sizes = [16, 1024, 16_384, 262_144, 2_097_152]
    guard try world.allReduce(node.size, .minimum) > 1 else { return Self.link(try copies(sizes)) }
    return Self.link(
      try sizes.map { bytes in
        let floats = max(bytes / 4, node.size)
        let sending = Partition(counts: (0..<node.size).map { $0 == node.rank ? 0 : floats / (node.size - 1) })
        let source = FloatBuffer(count: sending.end)
        let own = floats / (node.size - 1)
        let receiving = Partition(counts: (0..<node.size).map { $0 == node.rank ? 0 : own })
        var target = FloatBuffer(count: receiving.end)
        let seconds = try measure(20 * Double(floats), together: true) {
          try node.allToAll(source, sending, into: &target, receiving)
        }
        return CostCurve.Point(size: Double(4 * sending.end), seconds: seconds)
      })
  }

  /// For a rank alone: each byte is copied to memory that ranks share and from there, and a message is not there at once.
  private func copies(_ sizes: [Int]) throws -> [CostCurve.Point] {
    try sizes.map { bytes in
      let source = FloatBuffer(count: bytes / 4)
      var target = FloatBuffer(count: bytes / 4)
      let seconds = try measure(10 * Double(bytes / 4)) { target.copy(from: source) }
      return CostCurve.Point(size: Double(bytes), seconds: Self.assumedLatency + 2 * seconds)
    }
  }

  /// An empty message takes as long as the smallest.
  private static func link(_ points: [CostCurve.Point]) -> CostCurve {
    CostCurve([CostCurve.Point(size: 0, seconds: points[0].seconds)] + points)
  }

  /// Seconds of an empty message between two processes of a machine.
  private static let assumedLatency = 1e-6
}

extension LayerShape {
  fileprivate func isCheaper(than other: LayerShape) -> Bool {
    work == other.work ? isBefore(other) : work < other.work
  }

  /// A model with this layer, and which of its layers it is.
  fileprivate func model(like model: Model) throws(ModelError) -> (model: Model, layer: Int) {
    // A part of the scores may be a single one, and for that alone there is no softmax.
    let outputs = role == .last && model.loss == .softmax ? max(2, self.outputs) : self.outputs
    func mlp(_ sizes: [Int], _ loss: Loss) throws(ModelError) -> Model {
      try Model(kind: .mlp, sizes: sizes, activation: model.activation, loss: loss)
    }
    return switch role {
    case .only:
      (try Model(kind: model.kind, sizes: [inputs, model.outputs], activation: model.activation, loss: model.loss), 0)
    case .first: (try mlp([inputs, outputs, 1], .squared), 0)
    case .inner: (try mlp([1, inputs, outputs, 1], .squared), 1)
    case .last: (try mlp([1, inputs, outputs], model.loss), 1)
    }
  }
}
