/// Plain text in aligned columns, two spaces apart.
///
///     shard                rows  columns
///     train-00000.h5      1,347       64
public struct Table: Sendable {
  public struct Column: Sendable {
    public var title: String
    public var alignment: Alignment

    public init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  public let columns: [Column]
  /// One cell a column.
  public private(set) var rows: [[String]] = []

  /// A table without rows. Where all titles are empty, no line of titles is written.
  public init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row, which has to have one cell a column.
  public mutating func append(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row of \(cells.count) cells in a table of \(columns.count) columns")
    rows.append(cells)
  }

  /// The lines of the table, each ended by a line feed and none by spaces.
  public func rendered() -> String {
    var lines = rows
    if columns.contains(where: { !$0.title.isEmpty }) { lines.insert(columns.map(\.title), at: 0) }
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    var text = ""
    for cells in lines {
      var line = ""
      for (index, cell) in cells.enumerated() {
        if index > 0 { line += "  " }
        line += padded(cell, to: widths[index], columns[index].alignment)
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
