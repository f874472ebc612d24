public import Data
internal import Failures
internal import Files
internal import JSON
internal import Kernels
public import MPI

/// Makes a synthetic data set, straight into shards, on all ranks.
///
/// Every row is a function of the seed and its number, and every shard is written whole by one rank: the files are the same
/// on any number of ranks. Memory does not grow with the rows.
public struct Generator: Sendable {
  /// What a generation came to.
  public struct Summary: Equatable, Sendable {
    public var splits: [DatasetManifest.Split]
    /// Bytes of all shards.
    public var bytesWritten: Int
    public var seconds: Double
  }

  /// A shard and its first row.
  private struct Piece {
    var file: String
    var rows: Range<Int>
  }

  private let request: GenerationRequest
  private static let blockBytes = 1 << 18

  public init(_ request: GenerationRequest) {
    self.request = request
  }

  /// Makes the data set. Collective.
  ///
  /// - Parameter progress: called after each block with how many rows of how many this rank has made.
  /// - Throws: a failure that all ranks share; then there is no data set, or the one that was there before.
  public func run(
    _ world: borrowing some Ranks & ~Copyable, progress: (_ made: Int, _ of: Int) -> Void = { _, _ in }
  ) throws -> Summary {
    let start = ContinuousClock.now
    let plans = try Agreement.alike { () throws(PreparationError) in
      try request.check()
      let rowBytes = 4 * (request.columns + 1)
      return try ShardPlan.plan(
        Split.shares(of: request.rows, fractions: request.fractions), fractions: request.fractions,
        asked: request.shards, rowBytes: rowBytes)
    }
    let output = try Agreement.alike { try SharedOutput(request.output, request.overwrite ? .replacing : .new, world) }
    var bytesWritten = 0
    do {
      var generator = RowGenerator(request)
      let pieces = pieces(of: plans)
      let mine = Partition(total: pieces.count, parts: world.size).range(of: world.rank)
      try Agreement.everywhere(world) {
        bytesWritten = try write(Array(pieces[mine]), into: output.partial, from: &generator, progress)
      }
      _ = try Agreement.fromRoot(world) {
        try manifest(plans, generator.relations).write(toDirectory: output.partial)
        return []
      }
    } catch {
      output.abandon()
      throw error
    }
    try Agreement.alike { try output.publish(world) }
    return Summary(
      splits: plans.map(\.description), bytesWritten: try world.sums([bytesWritten])[0],
      seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  /// The shards of all splits with their rows: the splits follow each other.
  private func pieces(of plans: [ShardPlan]) -> [Piece] {
    var pieces: [Piece] = []
    var first = 0
    for plan in plans {
      for index in 0..<plan.shards {
        let range = plan.range(index)
        pieces.append(Piece(file: plan.name(index), rows: first + range.lowerBound..<first + range.upperBound))
      }
      first += plan.rows
    }
    return pieces
  }

  /// Writes shards; returns how many bytes they have.
  private func write(
    _ pieces: [Piece], into directory: String, from generator: inout RowGenerator, _ progress: (Int, Int) -> Void
  ) throws -> Int {
    let columns = request.columns
    let blockRows = max(1, Self.blockBytes / 4 / columns)
    var features = FloatBuffer(count: blockRows * columns)
    var targets = FloatBuffer(count: blockRows)
    let total = pieces.reduce(0) { $0 + $1.rows.count }
    var made = 0
    var bytes = 0
    for piece in pieces {
      let path = FileSystem.join(directory, piece.file)
      let writer = try ShardWriter(
        path: path, columns: columns, targets: request.classCount == nil ? .values(outputs: 1) : .labels,
        options: ShardWriter.Options(compression: request.compress ? ShardAssembler.compressionLevel : nil))
      for first in stride(from: piece.rows.lowerBound, to: piece.rows.upperBound, by: blockRows) {
        let rows = first..<min(first + blockRows, piece.rows.upperBound)
        generator.generate(rows, features: &features, targets: &targets)
        try writer.append(features, MatrixView(rows: rows.count, columns: columns), targets: targets)
        made += rows.count
        progress(made, total)
      }
      try writer.finish()
      bytes += try FileSystem.status(of: path)?.bytes ?? 0
    }
    return bytes
  }

  private func manifest(_ plans: [ShardPlan], _ relations: [Relation]) -> DatasetManifest {
    let target: DatasetManifest.Target =
      if let classes = request.classCount {
        .classification(name: "y", classes: (0..<classes).map(String.init))
      } else {
        .regression(name: "y", outputs: 1)
      }
    return DatasetManifest(
      name: request.kind.rawValue, columns: (0..<request.columns).map { "x\($0)" }, target: target, seed: request.seed,
      generator: generator(relations), splits: plans.map(\.description))
  }

  /// What the rows were made by, for those who want to compare what a training finds.
  private func generator(_ relations: [Relation]) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("kind", .string(request.kind.rawValue)), ("deviation", .number(request.deviation)),
      ("random_labels", .number(request.randomLabels)), ("missing", .number(request.missing)),
    ]
    if let drift = request.drift {
      var parts: [(String, JSONValue)] = [("kind", .string(drift.kind.rawValue)), ("row", .integer(drift.row))]
      if drift.kind == .gradual { parts.append(("width", .integer(drift.width))) }
      members.append(("drift", .object(parts)))
    }
    members.append(("relations", .array(relations.map(\.json))))
    return .object(members)
  }
}
