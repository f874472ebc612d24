public import JSON

extension Reservoir {
  /// The state; a reservoir made from it goes on bit for bit.
  public var json: JSONValue {
    .object([
      ("seen", .integer(seen)),
      (
        "rows",
        .array(
          rows.map { row in
            .object([
              ("number", .bits([Double(bitPattern: row.number)])), ("stratum", .integer(row.stratum)),
              ("weight", .bits(row.weight)), ("values", .bits(row.values)),
            ])
          })
      ),
    ])
  }

  /// Goes on where the reservoir that gave `json` was.
  /// - Throws: `OnlineError` for a state that is none of such a reservoir.
  public init(_ kind: Kind, capacity: Int, seed: UInt64, json: JSONNode) throws(OnlineError) {
    try self.init(kind, capacity: capacity, seed: seed)
    let state = StateReader("a reservoir", json)
    let rows = try state.elements("rows")
    guard rows.count <= capacity else { throw state.error("\(rows.count) rows in a reservoir for \(capacity)") }
    for row in rows {
      guard let stratum = row.node["stratum"]?.asInt else { throw state.error("\"stratum\" is no whole number") }
      let values = try row.floats("values")
      offer(
        number: try row.double("number").bitPattern, stratum: stratum, weight: try row.double("weight")
      ) { values }
    }
    seen = try state.count("seen")
  }
}
