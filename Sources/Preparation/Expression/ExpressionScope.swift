internal import Text

/// The columns that an expression may name.
struct ExpressionScope: Sendable {
  private(set) var columns: [ColumnSchema]
  private var places: [String: Int]

  init(_ columns: [ColumnSchema]) {
    self.columns = columns
    places = Dictionary(columns.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
  }

  /// Adds a column, which expressions after this may name.
  mutating func append(_ column: ColumnSchema) {
    places[column.name] = columns.count
    columns.append(column)
  }

  func index(of name: String) -> Int? { places[name] }

  /// What to say of a name that is no column.
  func unknown(_ name: String) -> String {
    let near = closest(to: name, among: columns.map(\.name))
    return "there is no column \(quoted(name))\(near.map { "; did you mean \(quoted($0))?" } ?? "")"
  }
}
