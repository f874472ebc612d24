import Files
import Kernels
import MPI
import Model
import Parallel

/// Cases on the exchange among the ranks that hold the parts of layers.
let tensorCases: [RankCase] = [
  RankCase("tensorSums") { world in
    let exchange = try TensorExchange(group: world)
    // In one round, on both sides of its border, and not divisible.
    for count in [0, 1, 7, 4096, 4097, 10_001, 3] {
      let parts = (0..<world.size).map { rank in (0..<count).map { mixed(rank, $0) } }
      var buffer = FloatBuffer(parts[world.rank] + [-1])
      let before = exchange.traffic
      try exchange.sum(&buffer, count: count)
      let expected = (0..<count).map { index in
        parts.dropFirst().reduce(parts[0][index]) { $0 + $1[index] }
      }
      try expect(buffer.values().map(\.bitPattern), (expected + [-1]).map(\.bitPattern), "the sum of \(count) floats")
      try check(exchange, since: before, .sum(floats: count), rows: 1)
    }
  },
  RankCase("tensorGathers") { world in
    let exchange = try TensorExchange(group: world)
    for (units, width) in [(world.size, 3), (world.size + 1, 1), (17, 5), (2 * world.size, 0)] {
      let whole = (0..<units * width).map { mixed(7, $0) }
      let mine = exchange.place.cut(units)
      var buffer = FloatBuffer(
        whole.indices.map { mine.lowerBound * width..<mine.upperBound * width ~= $0 ? whole[$0] : .nan })
      let before = exchange.traffic
      try exchange.gather(&buffer, units: units, width: width)
      try expect(buffer.values().map(\.bitPattern), whole.map(\.bitPattern), "\(units) units of \(width)")
      try check(exchange, since: before, .gather(units: units, width: width), rows: 1)
    }
  },
  RankCase("tensorTraining") { world in
    // Some steps of gradient descent on parts, and on the whole model.
    for loss in Loss.allCases {
      for sizes in [[11, 40, 19, 13], [11, 9, 23]] {
        let model = try Model(kind: .mlp, sizes: sizes, activation: .gelu, loss: loss)
        try compareTraining(model, world)
      }
    }
  },
]

/// Numbers without a pattern, of many magnitudes, so that every other order of a sum gives other bits.
private func mixed(_ rank: Int, _ index: Int) -> Float {
  let bits = UInt32(truncatingIfNeeded: rank &* 2_654_435_761 &+ index &* 40_503 &+ 12_345) &* 2_246_822_519
  return (Float(bits >> 8) / Float(1 << 23) - 1) * Float(1 << (index % 7))
}

/// What was counted since `before` is what the formula says, for this rank and, in a second pass, for more rows.
private func check(
  _ exchange: TensorExchange, since before: Traffic, _ transfer: LayerTransfer, rows: Int
) throws {
  let planned = TensorExchange.traffic(of: transfer, rows: rows, place: exchange.place)
  try expect(exchange.traffic, before + planned, "what \(transfer) sends")
}

private func compareTraining(_ model: Model, _ world: borrowing Communicator) throws {
  let exchange = try TensorExchange(group: world)
  let rows = 37
  let stage = try model.stage(layers: 0..<model.depth, tensor: exchange.place)
  let features = FloatBuffer((0..<rows * model.inputs).map { mixed(0, $0) / 64 })
  let targets = FloatBuffer(
    (0..<rows * model.targetsPerRow).map { index in
      switch model.targetMeaning {
      case .values: mixed(1, index) / 64
      case .binary: Float(index % 2)
      case .classIndex: Float(index % model.outputs)
      }
    })
  let view = MatrixView(rows: rows, columns: model.inputs)
  var whole = FloatBuffer(count: model.layout.count)
  var own = FloatBuffer(count: stage.layout.count)
  model.initialize(&whole, seed: 9)
  stage.initialize(&own, seed: 9)
  let (wholeSpace, ownSpace) = (Workspace(model, rows: rows), Workspace(stage, rows: rows))
  var wholeGradient = FloatBuffer(count: model.layout.count)
  var gradient = FloatBuffer(count: stage.layout.count)
  for step in 0..<20 {
    let truth = model.accumulateGradient(
      parameters: whole, features: features, view: view, targets: targets, targetsOffset: 0, workspace: wholeSpace,
      gradient: &wholeGradient, at: 0, accumulate: false)
    let before = exchange.traffic
    try stage.forward(parameters: own, inputs: features, .matrix(view), workspace: ownSpace, exchange: exchange)
    let part = try stage.lossSum(ownSpace, targets: targets, at: 0, exchange: exchange)
    try stage.backward(
      parameters: own, inputs: features, .matrix(view), workspace: ownSpace, gradient: &gradient, accumulate: false,
      exchange: exchange)
    var planned = before
    for transfer in stage.transfers.forward + stage.transfers.loss + stage.transfers.backward {
      planned += TensorExchange.traffic(of: transfer, rows: rows, place: exchange.place)
    }
    try expect(exchange.traffic, planned, "what a step sends")
    let found = try world.allReduce(part, .sum)
    if !(abs(found - truth) <= 1e-5 * (1 + truth)) {
      throw CaseFailure("\(model.loss) \(model.sizes), step \(step): loss \(found) instead of \(truth)")
    }
    let rate: Float = -0.1 / Float(rows)
    Elementwise.add(wholeGradient, 0..<wholeGradient.count, times: rate, to: &whole, at: 0)
    Elementwise.add(gradient, 0..<gradient.count, times: rate, to: &own, at: 0)
  }
  for entry in stage.layout.entries {
    let start = model.layout[entry.name]?.range.lowerBound ?? 0
    for segment in entry.segments(of: entry.range) {
      for (index, local) in segment.local.enumerated() {
        let (value, truth) = (own[local], whole[start + segment.offset + index])
        if !(abs(value - truth) <= 1e-5) {
          throw CaseFailure("\(model.loss) \(model.sizes), \(entry.name): \(value) instead of \(truth)")
        }
      }
    }
    // Ranks that hold the same elements hold the same bits.
    if entry.isReplicated {
      let bits = own.values(in: entry.range).map { Int32(bitPattern: $0.bitPattern) }
      try expect(try world.broadcast(bits, root: 0), bits, "\(entry.name) of rank 0")
    }
  }
}
