/// Reads blocks of a table and cleans their rows: with the rows before that lags look back to, and without repeated rows.
final class BlockCleaner<Source: TableSource> {
  let source: Source
  let pipeline: Pipeline
  /// The rows of each block that equal an earlier one and are left out.
  var duplicates: [Int: [Int]] = [:]
  /// The rows of each block that a sample takes; nil takes all.
  var sampled: [Int: RowSet]?
  /// What was done to the rows that have been cleaned.
  var tally: CleaningTally
  /// The block that was read last, for the next one's lags.
  private var last: (number: Int, block: ColumnBlock)?

  init(_ source: Source, _ pipeline: Pipeline) {
    self.source = source
    self.pipeline = pipeline
    tally = CleaningTally(pipeline)
  }

  func clean(_ block: Int) throws(PreparationError) -> CleanBlock {
    let history = try history(before: block)
    let rows = try read(block)
    var clean = try pipeline.clean(rows, after: history, tally: &tally)
    for row in duplicates[block] ?? [] { clean.kept[row] = false }
    if let sampled {
      let chosen = sampled[block] ?? RowSet()
      for row in clean.kept.indices where !chosen.contains(row) { clean.kept[row] = false }
    }
    return clean
  }

  private func read(_ block: Int) throws(PreparationError) -> ColumnBlock {
    if let last, last.number == block { return last.block }
    let rows = try source.read(block)
    if pipeline.historyRows > 0 { last = (block, rows) }
    return rows
  }

  /// The rows before a block, as many as are needed and there are.
  private func history(before block: Int) throws(PreparationError) -> ColumnBlock? {
    guard pipeline.historyRows > 0, block > 0 else { return nil }
    var history: ColumnBlock?
    var number = block - 1
    while true {
      let rows = try read(number)
      history = history.map { rows.followed(by: $0) } ?? rows
      // What is in one split knows nothing of another.
      guard number > 0, history?.rows ?? 0 < pipeline.historyRows,
        source.split(of: number - 1) == source.split(of: block)
      else { break }
      number -= 1
    }
    guard source.split(of: block - 1) == source.split(of: block) else { return nil }
    return history
  }
}

extension ColumnBlock {
  /// These rows and then those of another block of the same table; the places of the rows are not kept.
  func followed(by other: ColumnBlock) -> ColumnBlock {
    ColumnBlock(rows: rows + other.rows, columns: zip(columns, other.columns).map { Column.joined($0, $1) })
  }
}
