import Data
import Failures
import Kernels
import MPI
import Model
import Preparation
import Training

/// The features of a CSV file.
///
/// Rank 0 reads the file and deals the rows out. The others could read it too and skip what is not theirs, but a table has to be
/// parsed from its start to know where a row is: each rank would do all of the work, and each would report the same mistake.
final class TableBlocks: FeatureBlocks {
  private static let tag = 0

  private let path: String
  private let columns: Int
  private let blockRows: Int
  private let transform: FeatureTransform
  /// Rank 0 has it.
  private let table: Table?
  /// The rows of another rank on their way to it; rank 0 has room there.
  private var dealt: FloatBuffer
  /// The first row of the next round.
  private var start = 0
  private(set) var isFinished = false

  /// Collective.
  /// - Throws: `Failure` (65) where the columns are not those of the model; the same on every rank.
  init(_ path: String, _ description: ModelDescription, blockRows: Int, _ world: borrowing Communicator) throws {
    self.path = path
    self.blockRows = blockRows
    columns = description.model.inputs
    transform = FeatureTransform(normalization: description.normalization, scale: Float(description.scale))
    var table: Table?
    _ = try Agreement.fromRoot(world) {
      table = try Table(path, description)
      return []
    }
    self.table = table
    dealt = FloatBuffer(count: table == nil || world.size == 1 ? 0 : blockRows * columns)
  }

  func next(into features: inout FloatBuffer, _ world: borrowing Communicator) throws -> Int {
    let first = start + world.rank * blockRows
    start += world.size * blockRows
    var rows = 0
    var isLast = 0
    if let table {
      rows = try table.read(blockRows, into: &features)
      isLast = rows < blockRows ? 1 : 0
      for rank in 1..<max(world.size, 1) {
        let count = try table.read(blockRows, into: &dealt)
        isLast = count < blockRows ? 1 : isLast
        try Self.deal(dealt, count * columns, to: rank, world)
      }
    } else {
      var span = features.mutableSpan
      var room = span._mutatingExtracting(0..<blockRows * columns)
      rows = try world.receive(into: &room, from: 0, tag: Self.tag) / columns
    }
    isFinished = try world.broadcast([isLast], root: 0)[0] != 0
    try prepare(&features, rows: rows, first: first)
    return rows
  }

  private static func deal(
    _ rows: borrowing FloatBuffer, _ count: Int, to rank: Int, _ world: borrowing Communicator
  ) throws(MPIError) {
    try world.send(rows.span.extracting(0..<count), to: rank, tag: tag)
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
    private var rows: CSVRows
    /// Nothing is read there.
    private var targets = FloatBuffer(count: 0)

    init(_ path: String, _ description: ModelDescription) throws {
      let delimiter = TableBlocks.delimiter(of: path)
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
      rows = try CSVRows(path: path, columns: names, delimiter: delimiter)
    }

    /// Reads up to `count` rows to the start of `features`; fewer only at the end.
    func read(_ count: Int, into features: inout FloatBuffer) throws(PreparationError) -> Int {
      try rows.next(count, features: &features, targets: &targets)
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
