// What was done to raw rows, in words for people.
extension FittedPipeline {
  /// What the target is learned as; nil where that is the target itself.
  public var targetWords: String? {
    guard let name = pipeline.target, pipeline.recipe.targetTransform != .none else { return nil }
    return "\(pipeline.recipe.targetTransform.rawValue) of \(name)"
  }

  /// A line for each column that features are made of: its name, and how.
  public var summary: [(column: String, what: String)] {
    zip(pipeline.columns, columns).filter(\.0.isFeature).map { column, fitted in
      var parts: [String] = []
      if case .derived = column.origin {
        let formula = pipeline.recipe.derived.first { $0.name == column.name }?.formula.expression.text
        parts.append(formula.map { "= \($0)" } ?? "earlier rows")
      } else {
        parts.append(column.schema.type.rawValue)
      }
      switch fitted.fill {
      case .number(let number): parts.append("missing: \(column.missing.name) \(ClassIndex.name(number))")
      case .text(let text): parts.append("missing: \(column.missing.name) \(quoted(text))")
      case nil: if column.missing == .drop { parts.append("missing: drop") }
      }
      parts += zip(column.transformations, fitted.transformations).map { asked, fitted in
        switch fitted {
        case .oneHot(let categories, _), .ordinal(let categories): "\(asked.name) of \(categories.count)"
        case .hashed(let buckets): "hashed into \(buckets)"
        case .dateParts(let parts): parts.map(\.rawValue).joined(separator: " ")
        default: asked.name
        }
      }
      if column.recipe.indicator { parts.append("indicator") }
      return (column.name, parts.joined(separator: ", "))
    }
  }
}
