// Members that have to be there, with an error at the place of the object where they are not.
extension JSONNode {
  public func member(_ key: String) throws(JSONError) -> JSONNode {
    guard asObject != nil else { throw error("\(kindName) where an object with \"\(key)\" is wanted") }
    guard let node = self[key] else { throw error("\"\(key)\" is missing") }
    return node
  }

  public func string(_ key: String) throws(JSONError) -> String {
    let node = try member(key)
    guard let value = node.asString else { throw node.error("\"\(key)\" is \(node.kindName), wanted is a string") }
    return value
  }

  public func integer(_ key: String) throws(JSONError) -> Int {
    let node = try member(key)
    guard let value = node.asInt else { throw node.error("\"\(key)\" is \(node.kindName), wanted is a whole number") }
    return value
  }

  public func array(_ key: String) throws(JSONError) -> [JSONNode] {
    let node = try member(key)
    guard let value = node.asArray else { throw node.error("\"\(key)\" is \(node.kindName), wanted is an array") }
    return value
  }

  public func strings(_ key: String) throws(JSONError) -> [String] {
    try array(key).map { (node) throws(JSONError) in
      guard let value = node.asString else { throw node.error("\(node.kindName) in \"\(key)\", wanted are strings") }
      return value
    }
  }

  public func numbers(_ key: String) throws(JSONError) -> [Double] {
    try array(key).map { (node) throws(JSONError) in
      guard let value = node.asDouble else { throw node.error("\(node.kindName) in \"\(key)\", wanted are numbers") }
      return value
    }
  }
}
