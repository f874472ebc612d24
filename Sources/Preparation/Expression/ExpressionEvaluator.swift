internal import Kernels

/// Computes a bound expression for all rows of a block at once.
///
/// What is missing stays missing (NaN): in arithmetic, comparisons and functions; `&&` and `||` look past it where the other
/// side decides. A result that is no finite number, as that of a division by zero, is missing too.
struct ExpressionEvaluator {
  private typealias Operation = BoundExpression.Operation

  let rows: Int
  let columns: [Column]
  let schemas: [ColumnSchema]

  /// The column of the values of an expression.
  func column(_ expression: BoundExpression) -> Column {
    guard case .text(let dictionary) = expression.kind else { return .numbers(numbers(expression.root)) }
    let texts = texts(expression.root)
    guard let dictionary else { return .texts((0..<rows).map { texts.text($0) }) }
    return .codes(texts.codes(in: dictionary))
  }

  /// The rows for which a condition is true.
  func isTrue(_ expression: BoundExpression) -> [Bool] { numbers(expression.root).map { $0 == 1 } }

  private func numbers(_ operation: BoundExpression.Operation) -> [Double] {
    switch operation {
    case .number(let number): [Double](repeating: number, count: rows)
    case .column(let index):
      if case .numbers(let values) = columns[index] { values } else { Self.notNumbers(schemas[index]) }
    case .minus(let operand): numbers(operand).map { -$0 }
    case .not(let operand): numbers(operand).map { $0.isNaN ? .nan : 1 - $0 }
    case .arithmetic(let binary, let left, let right): arithmetic(binary, numbers(left), numbers(right))
    case .and(let left, let right):
      Self.map(numbers(left), numbers(right)) { $0 == 0 || $1 == 0 ? 0 : ($0.isNaN || $1.isNaN ? .nan : 1) }
    case .or(let left, let right):
      Self.map(numbers(left), numbers(right)) { $0 == 1 || $1 == 1 ? 1 : ($0.isNaN || $1.isNaN ? .nan : 0) }
    case .compare(let binary, let left, let right): compare(binary, numbers(left), numbers(right))
    case .compareTexts(let binary, let left, let right): texts(left).compared(binary, with: texts(right))
    case .choose(let condition, let first, let second): choose(numbers(condition), numbers(first), numbers(second))
    case .isMissing(let operand): numbers(operand).map { $0.isNaN ? 1 : 0 }
    case .textIsMissing(let operand): texts(operand).areMissing.map { $0 ? 1 : 0 }
    case .function(let function, let arguments): call(function, arguments.map(numbers))
    case .date(let part, let operand): numbers(operand).map { part.value(ofSeconds: $0) }
    case .lag(let operand, let lag):
      [Double](repeating: .nan, count: min(lag, rows)) + numbers(operand).prefix(max(rows - lag, 0))
    case .text, .chooseText: preconditionFailure("a text where the binder saw a number")
    }
  }

  private func texts(_ operation: BoundExpression.Operation) -> TextVector {
    switch operation {
    case .text(let text): .coded([Int32](repeating: 0, count: rows), [text])
    case .column(let index):
      switch columns[index] {
      case .codes(let codes): .coded(codes, schemas[index].dictionary ?? [])
      case .texts(let texts): .plain(texts)
      case .numbers: preconditionFailure("the column '\(schemas[index].name)' holds numbers, not texts")
      }
    case .chooseText(let condition, let first, let second):
      TextVector.choose(numbers(condition), texts(first), texts(second))
    default: preconditionFailure("a number where the binder saw a text")
    }
  }

  private static func notNumbers(_ schema: ColumnSchema) -> Never {
    preconditionFailure("the column '\(schema.name)' of type \(schema.type.rawValue) holds no numbers")
  }

  // MARK: Element by element

  @inline(__always)
  private static func map(_ a: [Double], _ b: [Double], _ body: (Double, Double) -> Double) -> [Double] {
    var result = a
    for index in result.indices { result[index] = body(result[index], b[index]) }
    return result
  }

  /// What is not finite is missing.
  @inline(__always)
  private static func finite(_ x: Double) -> Double { x.isFinite ? x : .nan }

  private func arithmetic(_ binary: Expression.Binary, _ a: [Double], _ b: [Double]) -> [Double] {
    switch binary {
    case .plus: Self.map(a, b) { Self.finite($0 + $1) }
    case .minus: Self.map(a, b) { Self.finite($0 - $1) }
    case .times: Self.map(a, b) { Self.finite($0 * $1) }
    case .divided: Self.map(a, b) { Self.finite($0 / $1) }
    case .remainder: Self.map(a, b) { Self.remainder($0, $1) }
    case .power: Self.map(a, b) { Self.power($0, $1) }
    case .or, .and, .equal, .unequal, .less, .lessOrEqual, .greater, .greaterOrEqual:
      preconditionFailure("'\(binary.rawValue)' is no arithmetic")
    }
  }

  /// With the sign of the divisor, so that hours and weekdays wrap around as people expect.
  private static func remainder(_ a: Double, _ b: Double) -> Double {
    let rest = finite(a.truncatingRemainder(dividingBy: b))
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
  }

  /// C's `pow` makes 1 of a missing value to the power of 0, and of 1 to a missing power.
  private static func power(_ a: Double, _ b: Double) -> Double {
    a.isNaN || b.isNaN ? .nan : finite(ScalarMath.power(a, b))
  }

  private func compare(_ binary: Expression.Binary, _ a: [Double], _ b: [Double]) -> [Double] {
    @inline(__always)
    func compared(_ body: (Double, Double) -> Bool) -> [Double] {
      Self.map(a, b) { $0.isNaN || $1.isNaN ? .nan : (body($0, $1) ? 1 : 0) }
    }
    switch binary {
    case .equal: return compared { $0 == $1 }
    case .unequal: return compared { $0 != $1 }
    case .less: return compared { $0 < $1 }
    case .lessOrEqual: return compared { $0 <= $1 }
    case .greater: return compared { $0 > $1 }
    case .greaterOrEqual: return compared { $0 >= $1 }
    case .or, .and, .plus, .minus, .times, .divided, .remainder, .power:
      preconditionFailure("'\(binary.rawValue)' is no comparison")
    }
  }

  private func choose(_ condition: [Double], _ first: [Double], _ second: [Double]) -> [Double] {
    var result = condition
    for row in result.indices {
      result[row] = condition[row].isNaN ? .nan : (condition[row] == 1 ? first[row] : second[row])
    }
    return result
  }

  private func call(_ function: ExpressionFunction, _ arguments: [[Double]]) -> [Double] {
    func each(_ body: (Double) -> Double) -> [Double] { arguments[0].map { Self.finite(body($0)) } }
    func fold(_ body: (Double, Double) -> Double) -> [Double] {
      arguments.dropFirst().reduce(arguments[0]) { Self.map($0, $1, body) }
    }
    switch function {
    case .log: return each(ScalarMath.logarithm)
    case .log10: return each(ScalarMath.decimalLogarithm)
    case .exp: return each(ScalarMath.exponential)
    case .sqrt: return each { $0.squareRoot() }
    case .abs: return each { $0.magnitude }
    case .floor: return each { $0.rounded(.down) }
    case .ceil: return each { $0.rounded(.up) }
    case .round: return each { $0.rounded(.toNearestOrEven) }
    case .sin: return each(ScalarMath.sine)
    case .cos: return each(ScalarMath.cosine)
    case .pow: return fold(Self.power)
    case .min: return fold { $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) }
    case .max: return fold { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) }
    case .coalesce: return fold { $0.isNaN ? $1 : $0 }
    case .if, .isMissing, .lag, .year, .month, .day, .hour, .minute, .second, .weekday:
      preconditionFailure("'\(function.rawValue)' has an operation of its own")
    }
  }
}
