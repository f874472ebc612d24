public import Kernels

/// Reads the rows of a raw CSV file with the columns that a model was trained on, for prediction and evaluation.
///
/// The columns may stand in any order and beside others. Every one of them must have a number in every row.
/// Memory: one block of the file (about 1 MiB), whatever its size.
public struct CSVRows: ~Copyable {
  private var reader: CSVReader
  private let parser: RowParser
  private let classes: ClassIndex?
  /// The next record of the reader's block.
  private var record = 0
  /// How many rows have been read.
  public private(set) var rows = 0
  /// How many bytes the file has.
  public let bytes: Int

  /// Opens a file and finds the columns in its header.
  ///
  /// - Parameters:
  ///   - columns: the names of the features, in the order that the model wants them.
  ///   - target: the name of the target, or nil if it is not wanted; then it need not be there.
  ///   - classes: the names of the classes where the target is one of them; nil where it is a number.
  ///   - delimiter: the byte between fields; nil finds out.
  /// - Throws: `PreparationError` if the file cannot be read, its header is malformed, or a column is not there.
  public init(
    path: String, columns: [String], target: String? = nil, classes: [String]? = nil, delimiter: UInt8? = nil
  ) throws(PreparationError) {
    let source = try CSVSource.open(path)
    try self.init(source: source, path: path, columns: columns, target: target, classes: classes, delimiter: delimiter)
  }

  init(
    source: consuming CSVSource, path: String, columns: [String], target: String?, classes: [String]?,
    delimiter: UInt8? = nil, blockBytes: Int = 1 << 20
  ) throws(PreparationError) {
    let size = try source.size()
    let reader = try CSVReader(source, path: path, delimiter: delimiter, blockBytes: blockBytes)
    let selection = try ColumnSelection(header: reader.header, path: path, names: columns, target: target)
    bytes = size
    parser = RowParser(selection: selection, missing: nil, dialect: reader.dialect)
    self.reader = reader
    self.classes = classes.map { ClassIndex(names: $0) }
  }

  /// Goes to the rows whose records start at the byte `start` of the file or behind, and before `end`.
  public mutating func move(to start: Int, before end: Int) {
    reader.move(to: start, before: end)
    record = 0
  }

  /// The names of the columns of a CSV file, in its order.
  /// - Throws: `PreparationError` if the file cannot be read or its header is malformed.
  public static func columns(of path: String, delimiter: UInt8? = nil) throws(PreparationError) -> [String] {
    let source = try CSVSource.open(path)
    let reader = try CSVReader(source, path: path, delimiter: delimiter)
    return reader.header.map(\.name)
  }

  /// Reads up to `count` rows, in the order of the file.
  ///
  /// - Parameters:
  ///   - features: receives the features, row after row from the start on; at least `count` × columns floats.
  ///   - targets: receives one value a row, the number of its class or the value itself; at least `count` floats. It is
  /// left
  ///     alone if no target is wanted.
  /// - Returns: the number of rows read, which is less than `count` only at the end of the file.
  /// - Throws: `PreparationError` with line and column if a record is malformed or a value missing, no number, or no
  ///   class.
  public mutating func next(_ count: Int, features: inout FloatBuffer, targets: inout FloatBuffer)
    throws(PreparationError) -> Int
  {
    let columns = parser.selection.features.count
    let hasTarget = parser.selection.target != nil
    precondition(
      features.count >= count * columns && (!hasTarget || targets.count >= count),
      "\(count) rows of \(columns) columns into \(features.count) floats and \(targets.count) targets")
    var row = 0
    while row < count {
      if record == reader.block.records {
        record = 0
        guard try reader.next() else { break }
      }
      var values = features.mutableSpan
      while row < count, record < reader.block.records {
        _ = try parser.features(of: record, in: reader, into: &values, at: row * columns)
        if hasTarget {
          _ = try parser.targetIsMissing(record, in: reader)
          if let classes {
            targets[row] = Float(try parser.targetClass(record, in: reader, of: classes))
          } else {
            targets[row] = try parser.targetValue(record, in: reader)
          }
        }
        record += 1
        row += 1
      }
    }
    rows += row
    return row
  }
}
