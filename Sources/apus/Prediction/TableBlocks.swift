import Data
import Failures
import JSON
import Kernels
import MPI
import Model
import Preparation
import Training

/// The rows of a CSV file, as the model wants them: everything that was fitted with its training data is applied.
///
/// Rank 0 reads the file and deals the rows out. The others could read it too and skip what is not theirs, but a table has to be
/// parsed from its start to know where a row is: each rank would do all of the work, and each would report the same mistake.
final class TableBlocks: FeatureBlocks {
  private static let featuresTag = 0
  private static let extrasTag = 1

  private let path: String
  private let columns: Int
  private let blockRows: Int
  private let transform: FeatureTransform
  private let purpose: CleanBlock.Purpose
  /// Rank 0 has it.
  private let table: Table?
  /// The rows of another rank on their way to it; rank 0 has room there.
  private var dealt: FloatBuffer
  /// The first row of the next round.
  private var start = 0
  private(set) var isFinished = false
  /// One number a row of this rank's last block: for rows to be judged on the target, for rows to predict 1, or 0 where the data
  /// set's preparation leaves such rows out.
  private(set) var extras: [Float] = []

  /// Collective.
  /// - Throws: `Failure` (65) where the columns are not those of the model; the same on every rank.
  init(
    _ path: String, _ description: ModelDescription, for purpose: CleanBlock.Purpose, blockRows: Int,
    _ world: borrowing Communicator
  ) throws {
    self.path = path
    self.purpose = purpose
    self.blockRows = blockRows
    columns = description.model.inputs
    transform = FeatureTransform(normalization: description.normalization, scale: Float(description.scale))
    var table: Table?
    _ = try Agreement.fromRoot(world) {
      table = try Table(path, description, purpose)
      return []
    }
    self.table = table
    dealt = FloatBuffer(count: table == nil || world.size == 1 ? 0 : blockRows * columns)
  }

  var leftOut: [Bool] { purpose == .prediction ? extras.map { $0 == 0 } : [] }

  func next(into features: inout FloatBuffer, _ world: borrowing Communicator) throws -> Int {
    let first = start + world.rank * blockRows
    start += world.size * blockRows
    var rows = 0
    var isLast = 0
    if let table {
      rows = try table.read(blockRows, into: &features, &extras)
      isLast = rows < blockRows ? 1 : 0
      var others: [Float] = []
      for rank in 1..<max(world.size, 1) {
        let count = try table.read(blockRows, into: &dealt, &others)
        isLast = count < blockRows ? 1 : isLast
        try Self.deal(dealt, count * columns, others, to: rank, world)
      }
    } else {
      var span = features.mutableSpan
      var room = span._mutatingExtracting(0..<blockRows * columns)
      rows = try world.receive(into: &room, from: 0, tag: Self.featuresTag) / columns
      extras = try world.receive(from: 0, tag: Self.extrasTag)
    }
    isFinished = try world.broadcast([isLast], root: 0)[0] != 0
    try prepare(&features, rows: rows, first: first)
    return rows
  }

  private static func deal(
    _ rows: borrowing FloatBuffer, _ count: Int, _ extras: [Float], to rank: Int, _ world: borrowing Communicator
  ) throws(MPIError) {
    try world.send(rows.span.extracting(0..<count), to: rank, tag: featuresTag)
    try world.send(extras.span, to: rank, tag: extrasTag)
  }

  private func prepare(_ features: inout FloatBuffer, rows: Int, first: Int) throws(DataError) {
    transform.apply(to: &features, offset: 0, rows: rows, columns: columns)
    guard let index = Elementwise.firstNonFinite(features, 0..<rows * columns) else { return }
    throw DataError(
      .invalid,
      "'\(path)', row \(first + index / columns): the value of column \(index % columns) is too large to be normalized")
  }

  /// The file, read from its start to its end.
  private final class Table {
    /// One of the two: rows as they are, or prepared as the model says.
    private var plain: CSVRows?
    private var raw: RawRows?
    private let wantsTarget: Bool
    private var targets: FloatBuffer

    init(_ path: String, _ description: ModelDescription, _ purpose: CleanBlock.Purpose) throws {
      let delimiter = TableBlocks.delimiter(of: path)
      wantsTarget = purpose == .learning
      targets = FloatBuffer(count: 0)
      if wantsTarget, description.target == nil {
        throw Failure(
          .invalidData, "the model does not say which column of '\(path)' it predicts",
          hint: "a model that is trained on a data set of apus prepare knows; evaluate others on HDF5 files")
      }
      if let fitted = try description.fittedPipeline() {
        raw = try RawRows(path: path, fitted, for: purpose, delimiter: delimiter)
        return
      }
      var names = description.columns
      if names.isEmpty {
        // A model of HDF5 files without names: the columns are taken as they come, and there must be as many.
        names = try CSVRows.columns(of: path, delimiter: delimiter)
        guard names.count == description.model.inputs else {
          throw Failure(
            .invalidData,
            "'\(path)' has \(names.count) columns, and the model was trained on \(description.model.inputs)",
            hint:
              "the model knows no names of columns, so the file must have just those of its training, in their order")
        }
      }
      let classes = description.classNames
      plain = try CSVRows(
        path: path, columns: names, target: wantsTarget ? description.target : nil,
        classes: classes.isEmpty ? nil : classes, delimiter: delimiter)
    }

    /// Reads up to `count` rows to the start of `features`; fewer only at the end.
    func read(_ count: Int, into features: inout FloatBuffer, _ extras: inout [Float]) throws(PreparationError) -> Int {
      if raw != nil { return try raw?.next(count, features: &features, extras: &extras) ?? 0 }
      if wantsTarget, targets.count < count { targets = FloatBuffer(count: count) }
      let rows = try plain?.next(count, features: &features, targets: &targets) ?? 0
      extras = wantsTarget ? targets.values(in: 0..<rows) : [Float](repeating: 1, count: rows)
      return rows
    }
  }

  /// Whether `path` names a table, by its ending.
  static func isTable(_ path: String) -> Bool {
    let name = path.lowercased()
    return [".csv", ".tsv", ".csv.gz", ".tsv.gz"].contains { name.hasSuffix($0) }
  }

  /// A tab where the ending says so; otherwise it is found out.
  private static func delimiter(of path: String) -> UInt8? {
    [".tsv", ".tsv.gz"].contains { path.lowercased().hasSuffix($0) } ? UInt8(ascii: "\t") : nil
  }
}
