import Testing

/// How ranks share a model: a grid of data × pipeline × tensor.
struct Layout: Sendable, Equatable, CustomTestStringConvertible {
  var data = 1
  var pipeline = 1
  var tensor = 1
  var shardsOptimizer = false
  var sharesMemory = true

  var ranks: Int { data * pipeline * tensor }

  /// The options of `apus train`.
  var options: [String] {
    ["pipeline=\(pipeline)", "tensor=\(tensor)", "shard_optimizer=\(shardsOptimizer)", "shared_memory=\(sharesMemory)"]
      .flatMap { ["--set", "parallel." + $0] }
  }

  var name: String {
    "\(data)x\(pipeline)x\(tensor)" + (shardsOptimizer ? "-sharded" : "") + (sharesMemory ? "" : "-plain")
  }
  var testDescription: String { name }
}
