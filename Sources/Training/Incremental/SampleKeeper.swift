import Data
import Failures
import Files
import JSON
import Kernels
import MPI
import Online
import Parallel

/// Keeps a sample of a training's rows beside its model, for later trainings.
///
/// A row is kept or not by its number, its class and the seed, so that any number of ranks keeps the same rows; those of earlier
/// trainings, which are in the sample that they left, take part with the numbers that they had.
struct SampleKeeper {
  private static let rowsPerRead = 1 << 16
  private static let floatsPerRead = 1 << 18

  private let request: ReplayRequest
  private let rows: ShardedDataset
  private let fresh: Int
  private let earlier: SampleRecord?
  private let use: TargetUse
  private let seed: UInt64

  /// - Parameters:
  ///   - rows: those of this training, and behind them those that were kept before.
  ///   - fresh: how many of them are of this training.
  ///   - earlier: what is known of the others.
  init(
    _ request: ReplayRequest, rows: ShardedDataset, fresh: Int, earlier: SampleRecord?, use: TargetUse, seed: UInt64
  ) {
    self.request = request
    self.rows = rows
    self.fresh = fresh
    self.earlier = earlier
    self.use = use
    self.seed = earlier?.seed ?? seed
  }

  /// Writes the sample into `directory`, in the place of one that is there. Collective.
  func write(into directory: String, world: borrowing Communicator) throws {
    let reservoir = try choose(world)
    _ = try Agreement.fromRoot(world) {
      try KeptSample.publish(into: directory) { folder in
        let written = try writeRows(reservoir.rows.map { Int($0.number) }, into: folder)
        return SampleRecord(seed: seed, seen: seenBefore + fresh, numbers: written)
      }
      return []
    }
  }

  /// The rows of earlier trainings.
  private var seenBefore: Int { earlier?.seen ?? 0 }

  private func number(ofRow row: Int) -> Int {
    row < fresh ? seenBefore + row : earlier?.numbers[row - fresh] ?? row
  }

  /// Chooses the rows: each rank looks at a part of them. Collective; the same on every rank.
  private func choose(_ world: borrowing Communicator) throws -> Reservoir {
    var own = try Agreement.alike { try request.reservoir(seed: seed) }
    let part = rows.rows * world.rank / world.size..<rows.rows * (world.rank + 1) / world.size
    try Agreement.everywhere(world) { try offer(part, to: &own) }
    let kept = own.rows
    let numbers = try world.allGather(kept.map { Int($0.number) })
    let strata = try world.allGather(kept.map(\.stratum))
    var all = try Agreement.alike { try request.reservoir(seed: seed) }
    for (numbers, strata) in zip(numbers, strata) {
      for (number, stratum) in zip(numbers, strata) { all.offer(number: UInt64(number), stratum: stratum) { [] } }
    }
    return all
  }

  private func offer(_ part: Range<Int>, to reservoir: inout Reservoir) throws {
    guard request.kind == .balanced else {
      for row in part { reservoir.offer(number: UInt64(number(ofRow: row))) { [] } }
      return
    }
    let reader = try RowReader(
      dataset: rows, rows: part, targetUse: use, parts: .targets, nonFinite: .skipRow)
    var features = FloatBuffer(count: 0)
    var targets = FloatBuffer(count: min(part.count, Self.rowsPerRead) * use.floatsPerRow)
    for start in stride(from: part.lowerBound, to: part.upperBound, by: Self.rowsPerRead) {
      let block = start..<min(start + Self.rowsPerRead, part.upperBound)
      try reader.read(rows: block, features: &features, targets: &targets)
      for row in block {
        // A row without a class is of no use for a sample by class.
        let label = targets[(row - start) * use.floatsPerRow]
        guard label.isFinite else { continue }
        reservoir.offer(number: UInt64(number(ofRow: row)), stratum: Int(label)) { [] }
      }
    }
  }

  /// - Returns: those that were written: a row without a target is of no use.
  private func writeRows(_ numbers: [Int], into folder: String) throws -> [Int] {
    let reader = try RowReader(dataset: rows, targetUse: use, nonFinite: .skipRow)
    let (columns, width) = (rows.columns, use.floatsPerRow)
    let writer = try ShardWriter(
      path: FileSystem.join(folder, KeptSample.shard), columns: columns, targets: Self.targets(use))
    let places = self.places(of: numbers)
    let span = max(Self.floatsPerRead / columns, 1)
    var features = FloatBuffer(count: span * columns)
    var targets = FloatBuffer(count: span * width)
    var written: [Int] = []
    var block = 0..<0
    for (number, row) in zip(numbers, places) {
      if !block.contains(row) {
        // Rows that lie near each other are read together.
        let end = min(row + span, rows.rows)
        block = row..<(places.last { $0 >= row && $0 < end } ?? row) + 1
        try reader.read(rows: block, features: &features, targets: &targets)
      }
      let place = row - block.lowerBound
      guard Elementwise.isFinite(targets, place * width..<(place + 1) * width) else { continue }
      let view = MatrixView(offset: place * columns, rows: 1, columns: columns)
      try writer.append(features, view, targets: targets, at: place * width)
      written.append(number)
    }
    try writer.finish()
    try writeManifest(rows: written.count, into: folder)
    return written
  }

  /// The row of each number.
  private func places(of numbers: [Int]) -> [Int] {
    var kept: [Int: Int] = [:]
    for (place, number) in (earlier?.numbers ?? []).enumerated() { kept[number] = fresh + place }
    return numbers.map { $0 >= seenBefore ? $0 - seenBefore : kept[$0] ?? 0 }
  }

  private func writeManifest(rows count: Int, into folder: String) throws {
    guard var manifest = rows.manifest else { return }
    manifest.name = "\(manifest.name) (\(KeptSample.name))"
    manifest.features = DataSource.defaultFeatures
    manifest.targets = DataSource.defaultTargets
    manifest.splits = KeptSample.splits(rows: count)
    try manifest.write(toDirectory: folder)
  }

  private static func targets(_ use: TargetUse) -> ShardWriter.Targets {
    switch use {
    case .classIndex, .binary(outputs: 1): .labels
    case .binary(let outputs), .values(let outputs): .values(outputs: outputs)
    case .none: .none
    }
  }
}
