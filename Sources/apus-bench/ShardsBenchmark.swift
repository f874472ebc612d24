import Data
import Files
import Kernels
import MPI
import Text
import Training

/// Batches from shards: shuffled and in order, against reading the bytes of the files.
enum ShardsBenchmark {
  static func run(_ settings: Settings) throws {
    let rows = try settings.integer("rows", default: 100_000)
    let columns = try settings.integer("columns", default: 784)
    let batch = try settings.integer("batch", default: 128)
    let directory = SyntheticShards.temporaryDirectory()
    defer { try? FileSystem.removeTree(directory) }
    try SyntheticShards.write(directory, rows: rows, columns: columns, classes: 10, shards: 4)
    let source = try DataSource(path: directory).resolve()
    let descriptions = source.paths.map {
      ShardDescription.attempt(path: $0, features: source.features, targets: source.targets, scanLabels: false)
    }
    let dataset = try ShardedDataset(descriptions: descriptions, source: source)
    let bytes = Double(rows * columns * 4)
    let raw = try Bench.median(of: 3) { try readAll(source.paths) }
    print("raw files", bytes, raw)
    for shuffle in [false, true] {
      let order = dataset.order(virtualRanks: 1, seed: 1, shuffle: shuffle)
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .classIndex(classes: 10))
      var epoch = 0
      let seconds = try Bench.median(of: 3) {
        for step in 0..<order.steps(batch: batch) {
          let slots = order.share(ofVirtualRank: 0, positions: order.positions(ofStep: step, batch: batch))
          try reader.withBatch(virtualRank: 0, epoch: epoch, slots: slots) { _, _, _, _ in }
        }
        epoch += 1
      }
      print(shuffle ? "batches, shuffled" : "batches, in order", bytes, seconds)
    }
  }

  private static func readAll(_ paths: [String]) throws {
    for path in paths {
      let file = try File.openForReading(path)
      var offset = 0
      while true {
        let bytes = try file.read(at: offset, count: 1 << 22)
        if bytes.isEmpty { break }
        offset += bytes.count
      }
    }
  }

  private static func print(_ what: String, _ bytes: Double, _ seconds: Double) {
    StandardStream.output.write(
      "\(padded(what, to: 18)) \(fixed(bytes / seconds / 1e9, decimals: 2)) GB/s, \(Text.bytes(Machine.peakMemoryBytes)) peak\n"
    )
  }
}
