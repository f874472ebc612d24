import Data
import Failures
import Kernels
import MPI
import Model
import Preparation
import Training

/// The rows of a CSV file, as the model wants them: everything that was fitted with its training data is applied.
///
/// Every rank reads the parts of the text that its groups are in. A group of rows to predict is some blocks of as many rows as a block has
/// room for, counted from the start of the table, so that a row is predicted with the same others on any number of ranks. A group of
/// rows to be judged on is what stays of a part of the text, since nobody knows the number of a row while rows before it may be left out.
final class TableBlocks: FeatureBlocks {
  /// About how many bytes of text make a group of rows to predict: those at its ends are read by two ranks.
  private static let groupBytes = 4 << 20

  private let path: String
  private let columns: Int
  private let blockRows: Int
  private let transform: FeatureTransform
  private let purpose: CleanBlock.Purpose
  private let table: PreparedTable
  private let index: RecordIndex
  private let rank: Int
  private let ranks: Int
  private let rowsOfGroup: Int
  private let groups: Int
  /// This rank's group.
  private var group: Int
  /// Rows of the group that have not been read; those to be judged on end when they end.
  private var rest = 0
  /// The row to predict that the table gives next.
  private var nextRow = 0

  private(set) var firstRow = 0
  /// One number a row of the last block: for rows to be judged on the target, for rows to predict 1, or 0 where the data set's
  /// preparation leaves such rows out.
  private(set) var extras: [Float] = []
  /// Rows of the table, also those that are left out.
  var rows: Int { index.rows }

  /// Collective.
  /// - Throws: `Failure` (65) where the columns are not those of the model, or the text is no table; the same on every rank.
  init(
    _ path: String, _ description: ModelDescription, for purpose: CleanBlock.Purpose, blockRows: Int,
    _ world: borrowing Communicator
  ) throws {
    self.path = path
    self.purpose = purpose
    self.blockRows = blockRows
    (rank, ranks) = (world.rank, world.size)
    columns = description.model.inputs
    transform = FeatureTransform(normalization: description.normalization, scale: Float(description.scale))
    var opened: PreparedTable?
    try Agreement.everywhere(world) { opened = try PreparedTable(path, description, purpose) }
    guard let opened else { preconditionFailure("a table that was opened without an error") }
    table = opened
    index = try Agreement.alike {
      try RecordIndex(path: path, delimiter: opened.delimiter, dialect: opened.dialect, on: world)
    }
    let blocks = (index.rows + blockRows - 1) / blockRows
    let blocksOfGroup = index.rows * Self.groupBytes / max(1, index.bytes) / blockRows
    rowsOfGroup = blockRows * max(1, min(blocksOfGroup, blocks / ranks))
    groups = purpose == .learning ? index.blocks : (index.rows + rowsOfGroup - 1) / rowsOfGroup
    group = rank - ranks
  }

  var leftOut: [Bool] { purpose == .prediction ? extras.map { $0 == 0 } : [] }
  var isFinished: Bool { group - rank + ranks >= groups }

  func beginRound() throws {
    group += ranks
    rest = 0
    guard group < groups else { return }
    guard purpose == .prediction else {
      rest = .max
      firstRow = index.rows(before: group)
      return try table.move(to: group, before: group + 1, index)
    }
    let first = group * rowsOfGroup
    rest = min(rowsOfGroup, index.rows - first)
    guard first != nextRow else { return }
    let block = index.block(of: first)
    try table.move(to: block, before: index.blocks, index)
    nextRow = index.rows(before: block)
    var passed = FloatBuffer(count: min(first - nextRow, blockRows) * columns)
    while nextRow < first { try read(min(first - nextRow, blockRows), into: &passed) }
  }

  func next(into features: inout FloatBuffer) throws -> Int {
    guard rest > 0 else { return 0 }
    if purpose == .learning {
      try table.read(blockRows, into: &features, &extras)
      if extras.count < blockRows { rest = 0 }
    } else {
      firstRow = nextRow
      try read(min(rest, blockRows), into: &features)
      rest -= extras.count
    }
    try prepare(&features)
    return extras.count
  }

  /// Reads rows to predict, all of which are there.
  private func read(_ count: Int, into features: inout FloatBuffer) throws {
    try table.read(count, into: &features, &extras)
    guard extras.count == count else {
      throw Failure(.inputOutput, "'\(path)' has changed while it was read")
    }
    nextRow += count
  }

  private func prepare(_ features: inout FloatBuffer) throws(DataError) {
    let rows = extras.count
    transform.apply(to: &features, offset: 0, rows: rows, columns: columns)
    guard let index = Elementwise.firstNonFinite(features, 0..<rows * columns) else { return }
    throw DataError(
      .invalid,
      "'\(path)', \(purpose == .learning ? "from row \(firstRow) on" : "row \(firstRow + index / columns)"): "
        + "the value of column \(index % columns) is too large to be normalized")
  }

  /// Whether `path` names a table, by its ending.
  static func isTable(_ path: String) -> Bool {
    let name = path.lowercased()
    return [".csv", ".tsv", ".csv.gz", ".tsv.gz"].contains { name.hasSuffix($0) }
  }
}
