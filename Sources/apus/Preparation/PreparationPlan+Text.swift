import JSON
import Preparation
import Text

extension PreparationPlan {
  /// The plan for people.
  var text: String {
    inputs.map { "\($0.path): \(Text.bytes($0.bytes)), \(Self.name($0.dialect))\n" }.joined()
      + "\(grouped(rows)) rows of \(columns.count) columns\n\n" + columnTable
      + (output.map { "\n" + Self.text($0) } ?? "")
      + (featureColumns.map { "\nthe recipe fits; features come from \($0.joined(separator: ", "))\n" } ?? "")
      + (output == nil && featureColumns == nil ? "" : "the inputs are sound; nothing was written\n")
  }

  private var columnTable: String {
    var table = Table([
      Table.Column("column"), Table.Column("type"), Table.Column("values", .right), Table.Column("missing", .right),
      Table.Column("minimum", .right), Table.Column("mean", .right), Table.Column("deviation", .right),
      Table.Column("maximum", .right), Table.Column("different", .right), Table.Column("for example"),
    ])
    for column in columns {
      func number(_ value: Double?) -> String {
        guard let value else { return "" }
        return column.type == .dateTime ? Self.date(value) : significant(value, digits: 6)
      }
      table.append([
        Self.short(column.name), column.type.rawValue, grouped(column.count), grouped(column.missing),
        number(column.minimum), number(column.mean),
        column.deviation.map { column.type == .dateTime ? duration($0) : significant($0, digits: 6) } ?? "",
        number(column.maximum), column.distinct.map { grouped($0) } ?? "many",
        column.examples.map { Self.short($0) }.joined(separator: ", "),
      ])
    }
    return table.rendered()
  }

  private static func text(_ output: Output) -> String {
    var lines = [
      output.decision,
      "\(grouped(output.rows)) rows of \(output.features) features"
        + (output.droppedRows > 0
          ? "; \(grouped(output.droppedRows)) rows \(output.changes.isEmpty ? "with missing values are dropped" : "are left out")"
          : ""),
    ]
    for change in output.changes { lines.append("  \(grouped(change.count)) \(change.what)") }
    for split in output.splits {
      lines.append(
        "\(split.name.rawValue): \(grouped(split.rows)) rows in \(grouped(split.shards)) \(split.shards == 1 ? "shard" : "shards")"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// `fields between ',', header`
  private static func name(_ dialect: CSVDialect) -> String {
    func mark(_ byte: UInt8) -> String { byte == UInt8(ascii: "\t") ? "tab" : "'\(Character(UnicodeScalar(byte)))'" }
    var parts = ["delimiter \(mark(dialect.delimiter))"]
    if dialect.quote != UInt8(ascii: "\"") { parts.append(dialect.quote.map { "quote \(mark($0))" } ?? "no quotes") }
    if dialect.decimal != UInt8(ascii: ".") { parts.append("decimal \(mark(dialect.decimal))") }
    if let thousands = dialect.thousands { parts.append("thousands \(mark(thousands))") }
    if let comment = dialect.comment { parts.append("comment \(mark(comment))") }
    if !dialect.hasHeader { parts.append("no header") }
    return parts.joined(separator: ", ")
  }

  /// A cell of a table: on one line and not too wide.
  private static func short(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(24).map { $0.value < 0x20 ? "\u{FFFD}" : String($0) }
    return scalars.joined() + (text.unicodeScalars.count > 24 ? "…" : "")
  }

  private static func date(_ seconds: Double) -> String {
    let text = PreparationPlan.timestamp(seconds)
    return text.hasSuffix(" 00:00:00") ? String(text.dropLast(9)) : text
  }
}

extension PreparationPlan {
  /// The plan for programs.
  var json: String {
    var members: [(String, JSONValue)] = [
      ("rows", .integer(rows)),
      (
        "inputs",
        .array(inputs.map { .object([("path", .string($0.path)), ("bytes", .integer($0.bytes))]) as JSONValue })
      ),
      ("columns", .array(columns.map(Self.json(of:)))),
    ]
    if let featureColumns {
      members.append(("feature_columns", .array(featureColumns.map { JSONValue.string($0) })))
    }
    if let output {
      members.append(("decision", .string(output.decision)))
      members.append(("features", .integer(output.features)))
      members.append(("dropped_rows", .integer(output.droppedRows)))
      if !output.changes.isEmpty {
        let changes = output.changes.map { change -> JSONValue in
          .object([("count", .integer(change.count)), ("what", .string(change.what))])
        }
        members.append(("changes", .array(changes)))
      }
      if let classes = output.classes { members.append(("classes", .array(classes.map { JSONValue.string($0) }))) }
      members.append(
        (
          "splits",
          .object(
            output.splits.map {
              ($0.name.rawValue, .object([("rows", .integer($0.rows)), ("shards", .integer($0.shards))]) as JSONValue)
            })
        ))
    }
    return JSONValue.object(members).serialized(pretty: true)
  }

  private static func json(of column: TableProfile.ColumnSummary) -> JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map { JSONValue.number($0) } ?? .null }
    return .object([
      ("name", .string(column.name)), ("type", .string(column.type.rawValue)), ("values", .integer(column.count)),
      ("missing", .integer(column.missing)), ("minimum", number(column.minimum)), ("mean", number(column.mean)),
      ("deviation", number(column.deviation)), ("maximum", number(column.maximum)),
      ("different", column.distinct.map { JSONValue.integer($0) } ?? .null),
      ("examples", .array(column.examples.map { JSONValue.string($0) })),
    ])
  }
}
