internal import JSON

extension FittedTransformation {
  /// The numbers that were fitted, under the name of what was asked for.
  func json(of transformation: Transformation) -> JSONValue {
    func numbers(_ values: [Double]) -> JSONValue { .array(values.map { $0.isFinite ? .number($0) : .null }) }
    var members: [(String, JSONValue)] = [("kind", .string(transformation.name))]
    switch self {
    case .log(let offset): members.append(("offset", .number(offset)))
    case .clip(let minima, let maxima): members += [("minima", numbers(minima)), ("maxima", numbers(maxima))]
    case .scale(let centers, let scales): members += [("centers", numbers(centers)), ("scales", numbers(scales))]
    case .minMax(let minima, let maxima, let lower, let upper):
      members += [
        ("minima", numbers(minima)), ("maxima", numbers(maxima)), ("lower", .number(lower)), ("upper", .number(upper)),
      ]
    case .oneHot(let categories, let dropFirst):
      members += [("categories", .array(categories.map { .string($0) })), ("drop_first", .boolean(dropFirst))]
    case .ordinal(let categories): members.append(("categories", .array(categories.map { .string($0) })))
    case .hashed(let buckets): members.append(("buckets", .integer(buckets)))
    case .dateParts(let parts): members.append(("parts", .array(parts.map { .string($0.rawValue) })))
    case .polynomial(let degree): members.append(("degree", .integer(degree)))
    }
    return .object(members)
  }

  /// Reads what `json` wrote.
  ///
  /// - Parameters:
  ///   - transformation: what the recipe asks for at this place.
  ///   - width: how many numbers a row has before it.
  init(_ node: JSONNode, of transformation: Transformation, width: Int) throws(JSONError) {
    guard try node.string("kind") == transformation.name else {
      throw node.error("the recipe asks for \"\(transformation.name)\" here")
    }
    /// One for each number of a row; null is `infinite`.
    func numbers(_ key: String, infinite: Double? = nil) throws(JSONError) -> [Double] {
      let values = try node.array(key).map { (node) throws(JSONError) in
        guard let value = node.asDouble ?? (node.isNull ? infinite : nil) else {
          throw node.error("\(node.kindName) in \"\(key)\", wanted are numbers")
        }
        return value
      }
      guard values.count == width else { throw node.error("\(values.count) \"\(key)\" for \(width) numbers a row") }
      return values
    }
    switch transformation {
    case .log(let offset): self = .log(offset: offset)
    case .clip, .clipQuantiles:
      self = .clip(
        minima: try numbers("minima", infinite: -.infinity), maxima: try numbers("maxima", infinite: .infinity))
    case .standardize, .robust:
      let scales = try numbers("scales")
      guard !scales.contains(0) else { throw node.error("a scale is 0") }
      self = .scale(centers: try numbers("centers"), scales: scales)
    case .minMax(let lower, let upper):
      self = .minMax(minima: try numbers("minima"), maxima: try numbers("maxima"), lower: lower, upper: upper)
    case .oneHot(let dropFirst): self = .oneHot(categories: try node.strings("categories"), dropFirst: dropFirst)
    case .ordinal: self = .ordinal(categories: try node.strings("categories"))
    case .hashed(let buckets): self = .hashed(buckets: buckets)
    case .dateParts(let parts): self = .dateParts(parts)
    case .polynomial(let degree): self = .polynomial(degree: degree)
    }
  }
}
