public import JSON

extension CSVDialect {
  public var json: JSONValue {
    func mark(_ byte: UInt8?) -> JSONValue { byte.map { .string(String(UnicodeScalar($0))) } ?? .null }
    return .object([
      ("delimiter", mark(delimiter)), ("quote", mark(quote)), ("header", .boolean(hasHeader)),
      ("decimal", mark(decimal)),
      ("thousands", mark(thousands)), ("comment", mark(comment)),
    ])
  }

  /// Reads what `json` wrote.
  public init(_ node: JSONNode) throws(JSONError) {
    func mark(_ key: String) throws(JSONError) -> UInt8? {
      let value = try node.member(key)
      guard !value.isNull else { return nil }
      guard let text = value.asString, text.utf8.count == 1, let byte = text.utf8.first else {
        throw value.error("\"\(key)\" is no ASCII character")
      }
      return byte
    }
    guard let delimiter = try mark("delimiter"), let decimal = try mark("decimal"),
      let hasHeader = try node.member("header").asBool
    else { throw node.error("a dialect needs a delimiter, a decimal mark, and whether there is a header") }
    self.init(delimiter: delimiter)
    quote = try mark("quote")
    self.hasHeader = hasHeader
    self.decimal = decimal
    thousands = try mark("thousands")
    comment = try mark("comment")
    do throws(PreparationError) {
      try check(delimiter: rareDelimiter)
    } catch {
      throw node.error(error.message)
    }
  }
}
