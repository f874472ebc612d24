import Data
import Model
import Parallel

/// Seconds of the passes through one stage of a layout.
struct StageTimes {
  private let stage: Stage
  private let index: Int
  private let plan: StepPlan
  private let predictor: StepPredictor
  /// The ranks that hold the parts of the stage, in the first copy of the model.
  private let parts: Cluster.Group
  private let shapes: [LayerShape]
  /// Whether rows are read again in each epoch.
  private let loads: Bool

  init(_ index: Int, _ plan: StepPlan, _ predictor: StepPredictor) throws(ModelError) {
    let shape = plan.shape
    self.index = index
    self.plan = plan
    self.predictor = predictor
    stage = try plan.stage(at: StepPredictor.place(shape, copy: 0, stage: index))
    shapes = stage.layers.map { LayerShape($0, depth: plan.model.depth) }
    parts = Cluster.Group(first: index * shape.tensor, stride: 1, count: shape.tensor)
    let rowBytes = 4 * (plan.model.inputs + plan.model.targetsPerRow)
    loads = plan.order.rows / shape.data > BatchReader.defaultResidentBytes / rowBytes
  }

  /// The forward pass of a micro-batch of `rows` rows, with reading and loss.
  func forward(_ rows: Int) -> PieceTimes {
    var times = reading(rows)
    for shape in shapes { times.computing += predictor.profile.forward(shape, rows: rows) }
    add(stage.transfers.forward + (stage.isLast ? stage.transfers.loss : []), rows: rows, to: &times)
    return times
  }

  /// The backward pass.
  func backward(_ rows: Int) -> PieceTimes {
    var times = PieceTimes()
    for shape in shapes { times.computing += predictor.profile.backward(shape, rows: rows) }
    add(stage.transfers.backward, rows: rows, to: &times)
    return times
  }

  /// What is left, when the backward pass of `rows` rows has ended, of an exchange of its gradients that takes `seconds` in all: the
  /// gradients of each layer go when they are there.
  func exposed(_ seconds: Double, rows: Int) -> Double {
    func parameters(_ shape: LayerShape) -> Double { Double(shape.outputs) * Double(shape.inputs + 1) }
    let all = shapes.reduce(0) { $0 + parameters($1) }
    // From the beginning of the pass: what has been computed, and what has been sent.
    var (computed, sent) = (0.0, 0.0)
    for (index, shape) in shapes.enumerated().reversed() {
      let layer = predictor.profile.backward(shape, rows: rows)
      // The weights' gradient grows in one half of the time, that of the layer's input in the other, which the first layer has not.
      let begin = computed + (index == 0 ? 0 : layer / 2)
      computed += layer
      sent = max(max(sent, begin) + seconds * parameters(shape) / all, computed)
    }
    return sent - computed
  }

  /// Seconds until the result of a pass of `rows` rows is at the neighbour `other`.
  func hop(to other: Int, rows: Int, copy: Int) -> Double {
    let shape = plan.shape
    let columns = other > index ? stage.outputs : stage.inputs
    let distance = (other - index) * shape.tensor
    let from = copy * shape.modelRanks + index * shape.tensor
    let cluster = predictor.cluster
    // Other ranks of the node cross the same border of stages at the same time.
    let start = cluster.node(ofRank: from) * cluster.ranksPerNode
    let crossing = (start..<min(start + cluster.ranksPerNode, shape.ranks)).count { rank in
      rank / shape.tensor % shape.pipeline == index
        && cluster.node(ofRank: rank) != cluster.node(ofRank: rank + distance)
    }
    return cluster.message(
      4 * Double(rows) * Double(columns), from: from, to: from + distance, sharing: max(1, crossing), predictor.profile)
  }

  /// What one rank of the stage reads, it brings to the others.
  private func reading(_ rows: Int) -> PieceTimes {
    let columns = (stage.isFirst ? plan.model.inputs : 0) + (stage.isLast ? plan.model.targetsPerRow : 0)
    guard columns > 0 else { return PieceTimes() }
    let bytes = 4 * Double(columns) * Double(rows)
    var times = PieceTimes(computing: predictor.profile.gathering.seconds(bytes))
    if loads { times.computing += predictor.profile.loading.seconds(bytes) }
    times.communication = predictor.cluster.exchange(
      bytes, rounds: StepPredictor.rounds(parts.count), in: parts, predictor.profile)
    return times
  }

  /// What the ranks of the stage exchange.
  private func add(_ transfers: [LayerTransfer], rows: Int, to times: inout PieceTimes) {
    guard parts.count > 1 else { return }
    for transfer in transfers {
      let traffic = TensorExchange.traffic(of: transfer, rows: rows, place: stage.tensor)
      // A message to each other rank is a round.
      let rounds = max(1, traffic.messages / (parts.count - 1))
      times.communication += predictor.cluster.exchange(
        Double(traffic.bytes), rounds: rounds, in: parts, predictor.profile)
      if case .sum(let floats) = transfer {
        let added = (parts.count - 1) * floats * rows
        times.computing += predictor.profile.addition.seconds(rounds == 1 ? added : added / parts.count)
      }
    }
  }
}
