public import JSON

extension Schema {
  public var json: JSONValue {
    .array(
      columns.map { column in
        var members: [(String, JSONValue)] = [("name", .string(column.name)), ("type", .string(column.type.rawValue))]
        if let dictionary = column.dictionary { members.append(("dictionary", .array(dictionary.map { .string($0) }))) }
        return JSONValue.object(members)
      })
  }

  /// Reads what `json` wrote.
  public init(_ node: JSONNode) throws(JSONError) {
    guard let nodes = node.asArray else { throw node.error("a schema is a list of columns") }
    var columns: [ColumnSchema] = []
    var names: Set<String> = []
    for node in nodes {
      let name = try node.string("name")
      guard names.insert(name).inserted else { throw node.error("there are two columns \(quoted(name))") }
      let typeName = try node.string("type")
      guard let type = ColumnType(rawValue: typeName) else {
        throw node.error("the column \(quoted(name)) has the unknown type \(quoted(typeName))")
      }
      let dictionary = type == .category ? try node.strings("dictionary") : nil
      guard Set(dictionary ?? []).count == dictionary?.count ?? 0 else {
        throw node.error("the dictionary of \(quoted(name)) has a category twice")
      }
      columns.append(ColumnSchema(name: name, type: type, dictionary: dictionary))
    }
    self.init(columns)
  }
}
