internal import JSON
internal import Settings

/// Reads the transformations of a column from a recipe: a name, an object with a `kind` and settings, or a list of these.
struct TransformationReader {
  private static let number = SettingKind.optionalNumber(least: -.infinity, exclusive: false, most: .infinity)
  private static let kinds = [
    "none", "log", "log1p", "clip", "standardize", "min_max", "robust", "one_hot", "ordinal", "hashed", "date_parts",
    "polynomial",
  ]

  /// The settings of the kinds that have some.
  private static let settings: [String: [SettingKey]] = [
    "log": [SettingKey("offset", .number(least: -.infinity, exclusive: false, most: .infinity), 0, "")],
    "clip": [
      SettingKey("minimum", number, .null, ""), SettingKey("maximum", number, .null, ""),
      SettingKey("quantiles", .numbers, [], ""),
    ],
    "min_max": [SettingKey("minimum", number, 0, ""), SettingKey("maximum", number, 1, "")],
    "one_hot": [SettingKey("drop_first", .boolean, false, "")],
    "ordinal": [SettingKey("order", .texts, [], "")],
    "hashed": [SettingKey("buckets", .integer(1...65_536), 64, "")],
    "date_parts": [SettingKey("parts", .texts, ["year", "month", "day", "weekday", "hour"], "")],
    "polynomial": [SettingKey("degree", .integer(2...10), 2, "")],
  ]

  /// The transformations in `node`; what is wrong is noted in `reader`.
  static func read(_ node: JSONNode, _ path: String, _ reader: inout SettingReader) -> [Transformation] {
    guard case .array(let nodes) = node.value else { return one(node, path, &reader).map { [$0] } ?? [] }
    return nodes.enumerated().compactMap { one($0.element, "\(path)[\($0.offset)]", &reader) }
  }

  private static func one(_ node: JSONNode, _ path: String, _ reader: inout SettingReader) -> Transformation? {
    let kindNode = node.asObject == nil ? node : node["kind"]
    guard let kindNode else {
      reader.reject(node, "'\(path)' has no \"kind\"")
      return nil
    }
    guard let kind = reader.accept(kindNode, as: .choice(kinds), path)?.asString else { return nil }
    var inner = SettingReader(
      keys: [SettingKey("kind", .text, nil, "")] + (settings[kind] ?? []), noun: "'\(path)'")
    let section = inner.section(
      node.asObject == nil ? JSONNode(.object([JSONMember]()), line: node.line, column: node.column) : node, "")
    for problem in inner.problems { reader.add(problem) }
    guard inner.problems.isEmpty else { return nil }
    switch kind {
    case "log": return .log(offset: section.number("offset") ?? 0)
    case "log1p": return .log(offset: 1)
    case "clip": return clip(section, path, &reader)
    case "standardize": return .standardize
    case "min_max":
      let (minimum, maximum) = (section.number("minimum") ?? 0, section.number("maximum") ?? 1)
      guard minimum < maximum else {
        reader.reject(node, "'\(path)': the minimum \(minimum) is not below the maximum \(maximum)")
        return nil
      }
      return .minMax(minimum: minimum, maximum: maximum)
    case "robust": return .robust
    case "one_hot": return .oneHot(dropFirst: section.boolean("drop_first"))
    case "ordinal": return ordinal(section, path, &reader)
    case "hashed": return .hashed(buckets: section.integer("buckets") ?? 64)
    case "date_parts": return dateParts(section, path, &reader)
    case "polynomial": return .polynomial(degree: section.integer("degree") ?? 2)
    default: return nil
    }
  }

  private static func clip(_ section: SettingSection, _ path: String, _ reader: inout SettingReader) -> Transformation?
  {
    let (minimum, maximum) = (section.number("minimum"), section.number("maximum"))
    if let quantiles = section["quantiles"] {
      let values = section.numbers("quantiles")
      guard values.count == 2, values[0] >= 0, values[0] < values[1], values[1] <= 1, minimum == nil, maximum == nil
      else {
        reader.reject(
          quantiles, "'\(path).quantiles' must be two rising numbers from 0 to 1, without minimum and maximum")
        return nil
      }
      return .clipQuantiles(lower: values[0], upper: values[1])
    }
    guard minimum != nil || maximum != nil, (minimum ?? -.infinity) <= (maximum ?? .infinity) else {
      reader.reject(section.node, "'\(path)' needs a minimum, a larger maximum or both, or quantiles, to clip to")
      return nil
    }
    return .clip(minimum: minimum, maximum: maximum)
  }

  private static func ordinal(
    _ section: SettingSection, _ path: String, _ reader: inout SettingReader
  ) -> Transformation? {
    guard let node = section["order"] else { return .ordinal(order: nil) }
    let order = section.texts("order")
    guard !order.isEmpty, Set(order).count == order.count else {
      reader.reject(node, "'\(path).order' must name each category once")
      return nil
    }
    return .ordinal(order: order)
  }

  private static func dateParts(
    _ section: SettingSection, _ path: String, _ reader: inout SettingReader
  ) -> Transformation? {
    let names = section.texts("parts")
    let parts = names.compactMap(DatePart.init(rawValue:))
    guard parts.count == names.count, !parts.isEmpty, Set(parts).count == parts.count else {
      let all = DatePart.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " | ")
      reader.reject(section["parts"] ?? section.node, "'\(path).parts' must be a list of different ones of \(all)")
      return nil
    }
    return .dateParts(parts)
  }
}
