public import Kernels

/// Reads the rows of a raw CSV file and does to them what was done to the rows of a training.
///
/// The columns may stand in any order and beside others. Memory: one block of the file, whatever its size.
public struct RawRows: ~Copyable {
  /// What has been prepared and not been handed out.
  private struct Stock {
    var features: [Float] = []
    var targets: [Float] = []
    /// Whether each row is one to predict; others have no features.
    var isPresent: [Bool] = []
    var next = 0

    var rows: Int { isPresent.count }
  }

  private var reader: CSVReader
  private let parser: ColumnParser
  private let fitted: FittedPipeline
  private let purpose: CleanBlock.Purpose
  private var stock = Stock()
  /// The rows before those of the next block, for lags.
  private var history: ColumnBlock?
  public private(set) var tally: CleaningTally

  /// Opens a file and finds the columns in its header.
  ///
  /// - Parameters:
  ///   - purpose: rows to predict need no target; rows to learn from or to be judged on must have one.
  ///   - delimiter: the byte between fields; nil finds out.
  /// - Throws: `PreparationError` if the file cannot be read, its header is malformed, or a column is not there.
  public init(
    path: String, _ fitted: FittedPipeline, for purpose: CleanBlock.Purpose, delimiter: UInt8? = nil
  ) throws(PreparationError) {
    try self.init(
      source: try CSVSource.open(path), path: path, fitted, for: purpose, delimiter: delimiter)
  }

  init(
    source: consuming CSVSource, path: String, _ fitted: FittedPipeline, for purpose: CleanBlock.Purpose,
    delimiter: UInt8? = nil, blockBytes: Int = 1 << 20
  ) throws(PreparationError) {
    // How numbers are written belongs to the data set; what separates the fields may differ from file to file.
    let reader = try CSVReader(
      source, path: path, delimiter: delimiter ?? fitted.dialect.rareDelimiter, dialect: fitted.dialect,
      blockBytes: blockBytes)
    let pipeline = fitted.pipeline
    parser = try ColumnParser(
      pipeline.schema, table: reader.table, needed: pipeline.neededColumns(withTarget: purpose == .learning),
      malformed: pipeline.schema.columns.map { pipeline.recipe.malformed($0.name) },
      missingValues: MissingValue(pipeline.recipe.missingValues))
    self.reader = reader
    self.fitted = fitted
    self.purpose = purpose
    tally = CleaningTally(pipeline)
  }

  /// The rows before a row that its lags look back to.
  public var historyRows: Int { fitted.pipeline.historyRows }

  /// Goes to the rows whose records start at the byte `start` of the file or behind, and before `end`.
  ///
  /// - Parameter historyStart: where a record starts that is at least `historyRows` before these, or the first of the file.
  /// - Throws: `PreparationError` if what lags look back to cannot be read.
  public mutating func move(to start: Int, before end: Int, historyFrom historyStart: Int) throws(PreparationError) {
    let goesOn = start == reader.position && stock.next == stock.rows
    stock = Stock()
    if historyRows > 0, !goesOn {
      history = nil
      reader.move(to: historyStart, before: start)
      while try reader.next() {
        var malformed = [Int](repeating: 0, count: parser.schema.columns.count)
        remember(try parser.parse(reader.block, malformed: &malformed))
      }
    }
    reader.move(to: start, before: end)
  }

  /// Reads up to `count` rows, in the order of the file.
  ///
  /// Rows to predict all come, also those that the recipe leaves out: these have no features. Rows to be judged on come only
  /// if they stay.
  /// - Parameters:
  ///   - features: receives the features, row after row from the start on; at least `count` × features floats.
  ///   - extras: receives one value a row: the target, or for rows to predict 1, and 0 for one that is left out.
  /// - Returns: the number of rows read, which is less than `count` only at the end of the file.
  /// - Throws: `PreparationError` with line and column at what the recipe does not allow.
  public mutating func next(
    _ count: Int, features: inout FloatBuffer, extras: inout [Float]
  ) throws(PreparationError) -> Int {
    let width = fitted.featureNames.count
    precondition(features.count >= count * width, "\(count) rows of \(width) features into \(features.count) floats")
    extras.removeAll(keepingCapacity: true)
    var row = 0
    while row < count {
      guard stock.next < stock.rows else {
        guard try refill() else { break }
        continue
      }
      let taken = min(count - row, stock.rows - stock.next)
      let rows = stock.next..<stock.next + taken
      features.copy(from: Array(stock.features[rows.lowerBound * width..<rows.upperBound * width]), at: row * width)
      extras +=
        purpose == .learning ? Array(stock.targets[rows]) : stock.isPresent[rows].map { $0 ? 1 : 0 }
      stock.next += taken
      row += taken
    }
    return row
  }

  /// Prepares the next block; false at the end of the file.
  private mutating func refill() throws(PreparationError) -> Bool {
    guard try reader.next() else { return false }
    var malformed = [Int](repeating: 0, count: parser.schema.columns.count)
    let block = try parser.parse(reader.block, malformed: &malformed)
    let clean = try fitted.pipeline.clean(block, after: history, for: purpose, tally: &tally)
    remember(block)
    let rows = try fitted.features(of: clean)
    if purpose == .learning {
      stock = Stock(
        features: rows.features, targets: rows.targets, isPresent: [Bool](repeating: true, count: rows.rows.count))
      return true
    }
    let width = fitted.featureNames.count
    stock = Stock(
      features: [Float](repeating: 0, count: block.rows * width), isPresent: [Bool](repeating: false, count: block.rows)
    )
    for (place, row) in rows.rows.enumerated() {
      stock.isPresent[row] = true
      for feature in 0..<width { stock.features[row * width + feature] = rows.features[place * width + feature] }
    }
    return true
  }

  /// Keeps the last rows for the lags of the next block.
  private mutating func remember(_ block: ColumnBlock) {
    let wanted = fitted.pipeline.historyRows
    guard wanted > 0 else { return }
    let own = block.selecting(Array(max(0, block.rows - wanted)..<block.rows))
    guard let history, own.rows < wanted else {
      history = ColumnBlock(rows: own.rows, columns: own.columns)
      return
    }
    let columns = zip(history.columns, own.columns).map { Column.joined($0, $1) }
    let rows = history.rows + own.rows
    self.history = ColumnBlock(
      rows: min(rows, wanted), columns: columns.map { $0.dropping(max(0, rows - wanted)) })
  }
}
