import Failures
public import JSON
import Parallel

// A profile as a file, so that a plan can be made for a machine on another one.
extension MachineProfile {
  /// The profile with times in microseconds.
  public var json: JSONValue {
    let layers: [JSONValue] = layers.sorted { $0.key.isBefore($1.key) }.map { shape, cost in
      .object([
        ("inputs", .integer(shape.inputs)), ("outputs", .integer(shape.outputs)),
        ("role", .string(shape.role.rawValue)),
        ("forward", Self.json(cost.forward)), ("backward", Self.json(cost.backward)),
      ])
    }
    return .object(
      [
        ("host", .string(host)), ("ranks", .integer(ranks)), ("memory_bytes", .integer(memory)),
        ("layers", .array(layers)),
      ] + Self.curves.map { ($0.name, Self.json(self[keyPath: $0.path])) })
  }

  /// Reads what `json` writes.
  /// - Parameter source: the name of the file, for messages.
  /// - Throws: `Failure` (65) with the place of what is missing or makes no sense.
  public init(parsing bytes: [UInt8], source: String) throws {
    let reader = ProfileReader(source: source)
    let node: JSONNode
    do {
      node = try JSONNode(parsing: bytes, dialect: .json5)
    } catch {
      throw reader.failure(line: error.line, column: error.column, error.message)
    }
    host = try reader.member("host", of: node, "a text") { $0.asString }
    ranks = try reader.member("ranks", of: node, "an integer from 1") { $0.asInt.flatMap { $0 > 0 ? $0 : nil } }
    memory = try reader.member("memory_bytes", of: node, "an integer from 1") { $0.asInt.flatMap { $0 > 0 ? $0 : nil } }
    layers = [:]
    let nodes = try reader.member("layers", of: node, "a list") { $0.asArray }
    guard !nodes.isEmpty else { throw reader.failure(node, "'layers' has no layer") }
    for layer in nodes {
      let size: (JSONNode) -> Int? = { $0.asInt.flatMap { (1...Int(Int32.max)).contains($0) ? $0 : nil } }
      let shape = LayerShape(
        inputs: try reader.member("inputs", of: layer, "an integer from 1", size),
        outputs: try reader.member("outputs", of: layer, "an integer from 1", size),
        role: try reader.member("role", of: layer, "first, inner, last or only") {
          $0.asString.flatMap(LayerShape.Role.init(rawValue:))
        })
      layers[shape] = LayerCost(
        forward: try reader.member("forward", of: layer, Self.curveWords, Self.curve),
        backward: try reader.member("backward", of: layer, Self.curveWords, Self.curve))
    }
    let flat = CostCurve(latency: 0, rate: 1)
    (update, addition, check, gathering, loading, exchange) = (flat, flat, flat, flat, flat, flat)
    for (name, path) in Self.curves {
      self[keyPath: path] = try reader.member(name, of: node, Self.curveWords, Self.curve)
    }
  }

  private static var curves: [(name: String, path: WritableKeyPath<MachineProfile, CostCurve>)] {
    [
      ("update", \.update), ("addition", \.addition), ("check", \.check), ("gathering", \.gathering),
      ("loading", \.loading), ("exchange", \.exchange),
    ]
  }

  private static let curveWords = "a list of [size, microseconds], not empty"

  private static func json(_ curve: CostCurve) -> JSONValue {
    .array(curve.points.map { .array([.number($0.size), .number($0.seconds * 1e6)]) })
  }

  private static func time(_ node: JSONNode) -> Double? {
    node.asDouble.flatMap { $0 >= 0 && $0.isFinite ? $0 * 1e-6 : nil }
  }

  private static func curve(_ node: JSONNode) -> CostCurve? {
    guard let nodes = node.asArray, !nodes.isEmpty else { return nil }
    var points: [CostCurve.Point] = []
    for node in nodes {
      guard let pair = node.asArray, pair.count == 2, let size = pair[0].asDouble, size >= 0, size.isFinite,
        let seconds = time(pair[1])
      else { return nil }
      points.append(CostCurve.Point(size: size, seconds: seconds))
    }
    return CostCurve(points)
  }
}

/// Takes members out of a profile, with the place of what is wrong.
private struct ProfileReader {
  let source: String

  func failure(_ node: JSONNode, _ message: String) -> Failure {
    failure(line: node.line, column: node.column, message)
  }

  func failure(line: Int, column: Int, _ message: String) -> Failure {
    Failure(
      .invalidData, "\(source):\(line):\(column): \(message)",
      hint: "apus plan --save-machine writes such files")
  }

  func member<Value>(
    _ name: String, of node: JSONNode, _ words: String, _ read: (JSONNode) -> Value?
  ) throws -> Value {
    guard let member = node[name] else { throw failure(node, "'\(name)' is missing: \(words)") }
    guard let value = read(member) else { throw failure(member, "'\(name)' must be \(words)") }
    return value
  }
}
