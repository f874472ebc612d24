internal import JSON

/// One transformation of a column, as a recipe asks for it.
public enum Transformation: Equatable, Sendable {
  /// The natural logarithm of the value plus `offset`.
  case log(offset: Double)
  case clip(minimum: Double?, maximum: Double?)
  /// To two quantiles of the training rows.
  case clipQuantiles(lower: Double, upper: Double)
  /// To mean 0 and standard deviation 1 (of the population).
  case standardize
  /// The least and the greatest training value become these.
  case minMax(minimum: Double, maximum: Double)
  /// Less the median, divided by the distance between the quartiles.
  case robust
  /// A feature for each category, 1 for its rows; `dropFirst` leaves out the first.
  case oneHot(dropFirst: Bool)
  /// The place of the category among the given ones, or among those of the training rows in the order of the dictionary.
  case ordinal(order: [String]?)
  /// A feature for each bucket; the hash of the text says which is 1.
  case hashed(buckets: Int)
  case dateParts([DatePart])
  /// The powers 1 to `degree`.
  case polynomial(degree: Int)

  /// The type that a column must have for it; nil where any numbers will do.
  var columnType: ColumnType? {
    switch self {
    case .oneHot, .ordinal: .category
    case .hashed: .text
    case .dateParts: .dateTime
    case .log, .clip, .clipQuantiles, .standardize, .minMax, .robust, .polynomial: nil
    }
  }

  /// The name that a recipe gives it.
  var name: String {
    switch self {
    case .log: "log"
    case .clip, .clipQuantiles: "clip"
    case .standardize: "standardize"
    case .minMax: "min_max"
    case .robust: "robust"
    case .oneHot: "one_hot"
    case .ordinal: "ordinal"
    case .hashed: "hashed"
    case .dateParts: "date_parts"
    case .polynomial: "polynomial"
    }
  }
}
