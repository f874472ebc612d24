import Data
import Failures
import Files
import Kernels
import MPI
import Text
import Training

/// Shuffled batches from shards, against reading the bytes of the files.
///
/// Prints the line that the peers in Scripts/bench.d print.
enum ShardsBenchmark {
  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    let columns = try settings.integer("columns", default: 784)
    let batch = try settings.integer("batch", default: 128)
    let directory = try prepared(settings, columns: columns, world)
    let source = try DataSource(path: directory).resolve()
    let descriptions = source.paths.map {
      ShardDescription.attempt(path: $0, features: source.features, targets: source.targets, scanLabels: false)
    }
    let dataset = try ShardedDataset(descriptions: descriptions, source: source)
    let epochs = try settings.integer("epochs", default: 3)
    // Once before, so that the files are in memory.
    _ = try seconds(world) { try readFiles(source.paths, world) }
    let raw = try seconds(world) { try readFiles(source.paths, world) }
    var lines: [String] = []
    for shuffle in [false, true] {
      let order = dataset.order(virtualRanks: world.size, seed: 1, shuffle: shuffle)
      let v = world.rank
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: v..<v + 1, targetUse: .classIndex(classes: 10),
        readingAhead: settings.text("ahead", default: "false") == "true" ? .always : .never)
      var times: [Double] = []
      // The first epoch does not count.
      for epoch in 0...epochs {
        times.append(
          try seconds(world) {
            for step in 0..<order.steps(batch: batch * world.size) {
              let positions = order.positions(ofStep: step, batch: batch * world.size)
              let slots = order.share(ofVirtualRank: v, positions: positions)
              try reader.withBatch(virtualRank: v, epoch: epoch, slots: slots) { _, _, _, _ in }
            }
          })
      }
      let median = times.dropFirst().sorted()[epochs / 2]
      lines.append(
        "apus \(shuffle ? "shuffled" : "in order") world=\(world.size) batch/rank=\(batch)"
          + " GB/s=\(fixed(Double(dataset.rows * columns * 4) / median / 1e9, decimals: 2))"
          + " (the files alone: \(fixed(Double(dataset.rows * columns * 4) / raw / 1e9, decimals: 2)))"
          + " samples/s=\(fixed(Double(dataset.rows) / median, decimals: 0))"
          + " rss_MiB=\(Machine.peakMemoryBytes >> 20)\n")
    }
    guard world.rank == 0 else { return }
    // The shuffled ones first: they are what is compared.
    StandardStream.output.write(lines.reversed().joined())
    if settings.text("data", default: "").isEmpty { try FileSystem.removeTree(directory) }
  }

  /// The folder of the shards, which rank 0 makes where there is none. Collective.
  private static func prepared(
    _ settings: Settings, columns: Int, _ world: borrowing Communicator
  ) throws -> String {
    let given = settings.text("data", default: "")
    let rows = try settings.integer("rows", default: 100_000)
    let compression = try settings.text("deflate", default: "").isEmpty ? nil : settings.integer("deflate", default: 4)
    let path = try Agreement.fromRoot(world) {
      let path = given.isEmpty ? SyntheticShards.temporaryDirectory() : given
      if try FileSystem.status(of: path) == nil {
        try SyntheticShards.write(
          path, rows: rows, columns: columns, classes: 10, shards: 4, compression: compression)
      }
      return Array(path.utf8)
    }
    return String(decoding: path, as: UTF8.self)
  }

  /// Seconds until all ranks have run `body`.
  private static func seconds(_ world: borrowing Communicator, _ body: () throws -> Void) throws -> Double {
    try world.barrier()
    let start = ContinuousClock.now
    try body()
    try world.barrier()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  /// Reads this rank's share of each file, into a buffer that stays in the cache: what the system takes for the copy alone.
  private static func readFiles(_ paths: [String], _ world: borrowing Communicator) throws {
    var buffer = [UInt8](repeating: 0, count: 128 << 10)
    var span = buffer.mutableSpan
    for path in paths {
      let file = try File.openForReading(path)
      let size = try file.size
      var offset = size * world.rank / world.size
      while offset < size * (world.rank + 1) / world.size { offset += try file.read(at: offset, into: &span) }
    }
  }
}
