internal import JSON

/// Reads the members of a state, with errors that say whose state it is.
struct StateReader {
  /// In the words of an error: "a drift detector".
  let owner: String
  let node: JSONNode

  init(_ owner: String, _ node: JSONNode) {
    self.owner = owner
    self.node = node
  }

  private func read<Value>(_ body: (JSONNode) throws(JSONError) -> Value) throws(OnlineError) -> Value {
    do { return try body(node) } catch { throw OnlineError(owner, error) }
  }

  func error(_ message: String) -> OnlineError { OnlineError("the state of \(owner): \(message)") }

  func member(_ key: String) throws(OnlineError) -> StateReader {
    StateReader(owner, try read { (node) throws(JSONError) in try node.member(key) })
  }

  /// A count, which is not negative.
  func count(_ key: String) throws(OnlineError) -> Int {
    let value = try read { (node) throws(JSONError) in try node.integer(key) }
    guard value >= 0 else { throw error("\"\(key)\" is \(value)") }
    return value
  }

  func flag(_ key: String) throws(OnlineError) -> Bool {
    guard let value = try member(key).node.asBool else { throw error("\"\(key)\" is not true or false") }
    return value
  }

  func string(_ key: String) throws(OnlineError) -> String {
    try read { (node) throws(JSONError) in try node.string(key) }
  }

  func elements(_ key: String) throws(OnlineError) -> [StateReader] {
    try read { (node) throws(JSONError) in try node.array(key) }.map { StateReader(owner, $0) }
  }

  /// Doubles as `BitText` writes them.
  /// - Parameter count: how many they have to be; any number without one.
  func doubles(_ key: String, count: Int? = nil) throws(OnlineError) -> [Double] {
    let values = BitText.doubles(try string(key))
    return try checked(values, key, count)
  }

  func double(_ key: String) throws(OnlineError) -> Double { try doubles(key, count: 1)[0] }

  func floats(_ key: String, count: Int? = nil) throws(OnlineError) -> [Float] {
    let values = BitText.floats(try string(key))
    return try checked(values, key, count)
  }

  private func checked<Value>(_ values: [Value]?, _ key: String, _ count: Int?) throws(OnlineError) -> [Value] {
    guard let values else { throw error("\"\(key)\" is no text of numbers") }
    if let count, values.count != count { throw error("\"\(key)\" has \(values.count) numbers, wanted are \(count)") }
    return values
  }
}

extension JSONValue {
  /// The bits of numbers, as `StateReader` reads them.
  static func bits(_ values: [Double]) -> JSONValue { .string(BitText.text(values)) }

  static func bits(_ value: Double) -> JSONValue { bits([value]) }

  static func bits(_ values: [Float]) -> JSONValue { .string(BitText.text(values)) }
}
