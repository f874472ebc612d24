import Failures
import Files
import JSON
import MPI
import Text
import Training

/// Training steps as `apus train` does them, on synthetic shards: reading, metrics and checks included.
///
/// Prints the line that the peers in Scripts/bench.d print, and what the matrix products of the step take alone.
enum StepBenchmark {
  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    let layers = try settings.layers(default: "784,512,256,10")
    let rowsARank = try settings.integer("batch", default: 128)
    let steps = try settings.integer("steps", default: 200)
    let optimizer = settings.text("optimizer", default: "adam")
    let rows = try settings.integer("rows", default: 20_000)
    let ranks = world.size
    let work = try SyntheticShards.shared(
      rows: rows, columns: layers[0], classes: max(layers[layers.count - 1], 2), shards: ranks, world)
    let job = job(
      layers: layers, work: work, batch: rowsARank * ranks, optimizer: optimizer, steps: steps,
      parallel: parallel(settings), shuffle: settings.text("shuffle", default: "true") == "true")
    let training = try TrainingJob(parsing: Array(job.serialized(pretty: false).utf8), source: "apus-bench")
    let run = try TrainingRun(training, resume: false, world: world)
    _ = try run.train(policy: .overwrite)
    guard world.rank == 0 else { return }
    let memory = Machine.peakMemoryBytes >> 20
    let alone = secondsOfProducts(layers, rows: rowsARank)
    let seconds = try measured(FileSystem.join(work, "run/metrics.jsonl"))
    try FileSystem.removeTree(work)
    let perStep = seconds.total / Double(steps)
    let products = zip(layers, layers.dropFirst()).map { $0 * $1 }
    // The first layer computes no gradient of its input.
    let flops = Double(6 * products.reduce(0, +) - 2 * products[0]) * Double(rowsARank)
    StandardStream.output.write(
      "apus layers=\(layers.map { "\($0)" }.joined(separator: ",")) batch/rank=\(rowsARank) world=\(ranks) opt=\(optimizer)"
        + " step_us=\(fixed(perStep * 1e6, decimals: 1)) (reading \(fixed(seconds.reading / Double(steps) * 1e6, decimals: 1)),"
        + " reducing \(fixed(seconds.reducing / Double(steps) * 1e6, decimals: 1)))"
        + " samples/s=\(fixed(Double(rowsARank * ranks) / perStep, decimals: 0))"
        + " GFLOP/s/rank=\(fixed(flops / perStep / 1e9, decimals: 1))"
        + " products_us=\(fixed(alone * 1e6, decimals: 1)) step/products=\(fixed(perStep / alone, decimals: 2))"
        + " rss_MiB=\(memory)\n")
  }

  /// What the matrix products of a step take by themselves: the limit of a step that is not bound by memory.
  private static func secondsOfProducts(_ layers: [Int], rows: Int) -> Double {
    var seconds = 0.0
    for (index, (inputs, outputs)) in zip(layers, layers.dropFirst()).enumerated() {
      let speeds = KernelsBenchmark.products(rows: rows, outputs: outputs, inputs: inputs)
      let flops = 2e-9 * Double(rows * outputs * inputs)
      // The first layer computes no gradient of its input.
      seconds += flops / speeds[0] + flops / speeds[2] + (index > 0 ? flops / speeds[1] : 0)
    }
    return seconds
  }

  /// What the job says of how ranks work together.
  static func parallel(_ settings: Settings) -> JSONValue {
    let overlaps = settings.text("overlap", default: "true") == "true"
    return .object(
      [
        ("reduction", .string(settings.text("reduction", default: "ordered"))),
        ("shared_memory", .boolean(settings.text("shared-memory", default: "true") == "true")),
        ("wire", .string(settings.text("wire", default: "float32"))),
      ] + (overlaps ? [] : [("bucket_bytes", .integer(0))]))
  }

  /// A job on the shards in `work`, whose log has a line before the measured steps and one after them.
  static func job(
    layers: [Int], work: String, batch: Int, optimizer: String, steps: Int, parallel: JSONValue, shuffle: Bool
  ) -> JSONValue {
    let hidden = layers.dropFirst().dropLast().map { JSONValue.integer($0) }
    let isBinary = layers[layers.count - 1] == 1
    let kind = hidden.isEmpty ? (isBinary ? "logistic" : "softmax") : "mlp"
    return .object([
      ("data", .object([("path", .string(FileSystem.join(work, "data")))])),
      ("model", .object([("kind", .string(kind)), ("hidden", .array(hidden))])),
      ("loss", .string(isBinary ? "logistic" : "softmax")),
      ("optimizer", .object([("kind", .string(optimizer)), ("learning_rate", 0.001)])),
      // As many steps before those that are measured, and a line of the log after either half.
      (
        "train",
        .object([
          ("steps", .integer(2 * steps)), ("batch_size", .integer(batch)), ("log_every", .integer(steps)),
          ("shuffle", .boolean(shuffle)),
        ])
      ),
      ("parallel", parallel),
      ("output", .string(FileSystem.join(work, "run"))),
    ])
  }

  /// What the second half of the steps took.
  static func measured(_ path: String) throws -> (total: Double, reading: Double, reducing: Double) {
    let lines = try FileSystem.read(path, limit: 1 << 20).split(separator: UInt8(ascii: "\n"))
    let nodes = try lines.map { try JSONNode(parsing: Array($0), dialect: .json) }
    guard nodes.count == 2, let first = nodes[0]["seconds"]?.asDouble, let last = nodes[1]["seconds"]?.asDouble,
      let reading = nodes[1]["seconds_reading"]?.asDouble, let reducing = nodes[1]["seconds_reducing"]?.asDouble
    else { throw Failure(.internalError, "'\(path)' has not the two lines that were asked for") }
    return (last - first, reading, reducing)
  }
}
