public import JSON
import Model
import Parallel

extension ClusterPlan {
  /// The plan for programs, with times in milliseconds and everything that it was made from.
  public var json: JSONValue {
    .object([
      ("model", .array(training.model.sizes.map { .integer($0) })), ("batch_rows", .integer(training.batchRows)),
      ("ranks", .integer(cluster.ranks)), ("ranks_per_node", .integer(cluster.ranksPerNode)),
      // Without a second node there is nothing between nodes.
      ("bandwidth_bytes_per_second", cluster.nodes > 1 ? .number(cluster.bandwidth) : .null),
      ("latency_us", cluster.nodes > 1 ? .number(cluster.latency * 1e6) : .null),
      ("memory_per_node_bytes", .integer(cluster.memory)), ("best", best.map { $0.json } ?? .null),
      ("layouts", .array(predictions.map(\.json))), ("machine", profile.json),
    ])
  }
}

extension LayoutPrediction {
  fileprivate var json: JSONValue {
    .object([
      ("data", .integer(layout.shape.data)), ("pipeline", .integer(layout.shape.pipeline)),
      ("tensor", .integer(layout.shape.tensor)), ("shard_optimizer", .boolean(layout.shardsOptimizer)),
      ("micro_batches", .integer(layout.microBatches)), ("step_ms", .number(step * 1e3)),
      ("computing_ms", .number(computing * 1e3)), ("waiting_ms", .number(waiting * 1e3)),
      ("communication_ms", .number(communication * 1e3)), ("memory_per_rank_bytes", .integer(rankMemory)),
      ("memory_per_node_bytes", .integer(nodeMemory)), ("fits", .boolean(fits)), ("efficiency", .number(efficiency)),
      ("samples_per_second", .number(samplesPerSecond)),
    ])
  }
}
