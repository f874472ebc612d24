/// The functions that expressions may call: a closed set, so that an expression can do nothing but compute.
enum ExpressionFunction: String, CaseIterable, Sendable {
  case log, log10, exp, sqrt, pow, abs, min, max, floor, ceil, round, sin, cos
  case `if`, coalesce
  case isMissing = "is_missing"
  case lag
  case year, month, day, hour, minute, second, weekday

  /// How many arguments it takes.
  var arguments: ClosedRange<Int> {
    switch self {
    case .log, .log10, .exp, .sqrt, .abs, .floor, .ceil, .round, .sin, .cos, .isMissing: 1...1
    case .year, .month, .day, .hour, .minute, .second, .weekday: 1...1
    case .pow, .lag: 2...2
    case .if: 3...3
    case .min, .max, .coalesce: 1...100
    }
  }

  /// The part of a date that it takes, if it is such a function.
  var datePart: DatePart? { DatePart(rawValue: rawValue) }
}
