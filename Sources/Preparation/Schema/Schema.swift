/// A column of a table: its name and what its values are.
public struct ColumnSchema: Equatable, Sendable {
  public var name: String
  public var type: ColumnType
  /// The categories in the order of their codes, which is that of their UTF-8 bytes; nil for every other type.
  public var dictionary: [String]?

  public init(name: String, type: ColumnType, dictionary: [String]? = nil) {
    precondition((type == .category) == (dictionary != nil), "a dictionary is what a category has")
    self.name = name
    self.type = type
    self.dictionary = dictionary
  }
}

/// The columns of a table, in its order. No two have the same name.
public struct Schema: Equatable, Sendable {
  public private(set) var columns: [ColumnSchema]
  private let places: [String: Int]

  /// - Precondition: the names are different.
  public init(_ columns: [ColumnSchema]) {
    self.columns = columns
    places = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($0.element.name, $0.offset) })
  }

  public var names: [String] { columns.map(\.name) }

  /// The place of the column with this name.
  public func index(of name: String) -> Int? { places[name] }
}
