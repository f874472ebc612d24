public import JSON
internal import Text

/// Groups with their counts and aggregates, for people and for programs.
public struct GroupReport: Equatable, Sendable {
  /// What a report is written as.
  public enum Format: String, CaseIterable, Equatable, Sendable {
    case table, csv, json
  }

  enum Cell: Equatable, Sendable {
    case missing
    case boolean(Bool)
    case integer(Int)
    case real(Double)
    case text(String)
  }

  /// What the rows are counted as.
  static let countName = "count"

  /// The columns: those that the rows are grouped by, the count, the aggregates.
  private(set) var names: [String]
  private(set) var cells: [[Cell]] = []
  private let keys: Int

  /// - Parameters:
  ///   - schema: of the table that was grouped.
  ///   - keys: the columns that it was grouped by.
  init(_ groups: [GroupTable.Group], schema: Schema, keys: [Int], aggregates: [Aggregate]) {
    let columns = keys.map { schema.columns[$0] }
    self.keys = keys.count
    names = columns.map(\.name) + [Self.countName] + aggregates.map(\.name)
    // The least, the largest and the sum of whole numbers are whole.
    let areWhole = aggregates.map { aggregate in
      aggregate.function != .mean
        && schema.index(of: aggregate.column).map { schema.columns[$0].type == .integer } ?? false
    }
    for group in groups {
      var row = zip(columns, group.key.values(columns.map(\.type))).map { Self.cell($1, of: $0) }
      row.append(.integer(group.rows))
      for (value, isWhole) in zip(group.aggregates, areWhole) {
        row.append(value.isNaN ? .missing : Self.number(value, isWhole: isWhole))
      }
      cells.append(row)
    }
  }

  private static func cell(_ value: GroupKey.Value, of column: ColumnSchema) -> Cell {
    switch value {
    case .missing: .missing
    case .text(let text): .text(text)
    case .code(let code): .text(column.dictionary?[code] ?? "")
    case .number(let number):
      switch column.type {
      case .boolean: .boolean(number != 0)
      case .dateTime: .text(DateTimeText.iso(number))
      default: Self.number(number, isWhole: column.type == .integer)
      }
    }
  }

  private static func number(_ value: Double, isWhole: Bool) -> Cell {
    if isWhole, let integer = Int(exactly: value) { .integer(integer) } else { .real(value) }
  }

  public var groups: Int { cells.count }

  /// The report as text that ends with a line feed.
  public func text(_ format: Format) -> String {
    switch format {
    case .table: table
    case .csv:
      ([names.map(csvField)] + cells.map { $0.map { $0 == .missing ? "" : csvField(Self.plain($0)) } })
        .map { $0.joined(separator: ",") + "\n" }.joined()
    case .json: json.serialized(pretty: true) + "\n"
    }
  }

  private var table: String {
    var table = Table(
      names.enumerated().map { index, name in
        let isText = cells.contains { if case .text = $0[index] { true } else { false } }
        return Table.Column(name, isText ? .left : .right)
      })
    for row in cells {
      table.append(
        row.enumerated().map { index, cell in
          switch cell {
          // Keys are what the table says; counts and aggregates are for reading.
          case .integer(let value) where index >= keys: grouped(value)
          case .real(let value) where index >= keys: significant(value, digits: 6)
          default: Self.plain(cell)
          }
        })
    }
    return table.rendered()
  }

  /// A cell as a CSV file has it: nothing for a missing value, enough digits to read the same number again.
  private static func plain(_ cell: Cell) -> String {
    switch cell {
    case .missing: ""
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .real(let value): value.description
    case .text(let text): text
    }
  }

  /// One object a group.
  public var json: JSONValue {
    .array(
      cells.map { row in
        JSONValue.object(
          zip(names, row).map { name, cell in
            let value: JSONValue =
              switch cell {
              case .missing: .null
              case .boolean(let value): .boolean(value)
              case .integer(let value): .integer(value)
              case .real(let value): .number(value)
              case .text(let text): .string(text)
              }
            return (name, value)
          })
      })
  }
}
