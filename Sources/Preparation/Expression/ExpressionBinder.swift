/// Finds the columns that an expression names and checks what kind each part is of.
struct ExpressionBinder {
  private typealias Node = Expression.Node
  private typealias Operation = BoundExpression.Operation
  private typealias Kind = BoundExpression.Kind

  /// A part with its kind, and how many earlier rows it looks at.
  struct Part {
    var kind: BoundExpression.Kind
    var operation: BoundExpression.Operation
    var history = 0
  }

  private static let mostLag = 100_000

  let scope: ExpressionScope
  let history: [Int]
  private(set) var columns: Set<Int> = []
  private(set) var presentColumns: Set<Int> = []
  private var lags = 0

  init(scope: ExpressionScope, history: [Int]) {
    self.scope = scope
    self.history = history
  }

  mutating func bind(_ node: Expression.Node) throws(ExpressionError) -> Part {
    switch node.syntax {
    case .number(let number): return Part(kind: .number, operation: .number(number))
    case .boolean(let boolean): return Part(kind: .condition, operation: .number(boolean ? 1 : 0))
    case .text(let text): return Part(kind: .text(dictionary: [text]), operation: .text(text))
    case .column(let name): return try column(name, node.place)
    case .unary(.minus, let operand):
      let part = try number(operand, of: "'-'")
      return Part(kind: .number, operation: .minus(part.operation), history: part.history)
    case .unary(.not, let operand):
      let part = try condition(operand, of: "'!'")
      return Part(kind: .condition, operation: .not(part.operation), history: part.history)
    case .binary(let binary, let left, let right): return try self.binary(binary, left, right, node.place)
    case .call(let function, let arguments): return try call(function, arguments, node.place)
    }
  }

  private mutating func column(_ name: String, _ place: Int) throws(ExpressionError) -> Part {
    guard let index = scope.index(of: name) else {
      throw ExpressionError(place: place, message: "\(scope.unknown(name))\(Self.quotes(name))")
    }
    columns.insert(index)
    if lags == 0 { presentColumns.insert(index) }
    let schema = scope.columns[index]
    let kind: Kind =
      switch schema.type {
      case .integer, .real, .dateTime: .number
      case .boolean: .condition
      case .category, .text: .text(dictionary: schema.dictionary)
      }
    return Part(kind: kind, operation: .column(index), history: history[index])
  }

  /// A hint for words that look as if a text was meant.
  private static func quotes(_ name: String) -> String {
    ExpressionToken.isWord(name) ? "; a text takes quotes: '\(name)'" : ""
  }

  private mutating func binary(
    _ binary: Expression.Binary, _ left: Expression.Node, _ right: Expression.Node, _ place: Int
  ) throws(ExpressionError) -> Part {
    let name = "'\(binary.rawValue)'"
    switch binary {
    case .and, .or:
      let (a, b) = (try condition(left, of: name), try condition(right, of: name))
      let operation: Operation = binary == .and ? .and(a.operation, b.operation) : .or(a.operation, b.operation)
      return Part(kind: .condition, operation: operation, history: max(a.history, b.history))
    case .plus, .minus, .times, .divided, .remainder, .power:
      let (a, b) = (try number(left, of: name), try number(right, of: name))
      return Part(
        kind: .number, operation: .arithmetic(binary, a.operation, b.operation), history: max(a.history, b.history))
    case .equal, .unequal, .less, .lessOrEqual, .greater, .greaterOrEqual:
      let (a, b) = try alike(left, right, place, "\(name) compares")
      let operation: Operation =
        a.kind.isText ? .compareTexts(binary, a.operation, b.operation) : .compare(binary, a.operation, b.operation)
      return Part(kind: .condition, operation: operation, history: max(a.history, b.history))
    }
  }

  /// Two parts of which both are texts or none is. A text beside a date is a date.
  private mutating func alike(
    _ left: Expression.Node, _ right: Expression.Node, _ place: Int, _ verb: String
  ) throws(ExpressionError) -> (Part, Part) {
    var (a, b) = (try bind(left), try bind(right))
    if let date = try date(of: left, beside: right) { a = date }
    if let date = try date(of: right, beside: left) { b = date }
    guard a.kind.isText == b.kind.isText else {
      throw ExpressionError(place: place, message: "\(verb) \(a.kind.words) and \(b.kind.words)")
    }
    return (a, b)
  }

  /// The moment that a text means where it is compared with a column of dates.
  private func date(of node: Expression.Node, beside other: Expression.Node) throws(ExpressionError) -> Part? {
    guard case .text(let text) = node.syntax, case .column(let name) = other.syntax,
      let index = scope.index(of: name), scope.columns[index].type == .dateTime
    else { return nil }
    let bytes = Array(text.utf8)
    guard let seconds = DateParser.seconds(bytes.span, 0..<bytes.count) else {
      throw ExpressionError(place: node.place, message: "\(quoted(text)) is no date; write '2026-01-31' or with a time")
    }
    return Part(kind: .number, operation: .number(seconds))
  }

  private mutating func call(
    _ function: ExpressionFunction, _ arguments: [Expression.Node], _ place: Int
  ) throws(ExpressionError) -> Part {
    let name = quoted(function.rawValue)
    switch function {
    case .if:
      let condition = try condition(arguments[0], of: name)
      let (a, b) = try alike(arguments[1], arguments[2], place, "\(name) chooses between")
      let history = max(condition.history, a.history, b.history)
      guard case .text(let first) = a.kind, case .text(let second) = b.kind else {
        let kind: Kind = a.kind == .condition && b.kind == .condition ? .condition : .number
        return Part(kind: kind, operation: .choose(condition.operation, a.operation, b.operation), history: history)
      }
      return Part(
        kind: .text(dictionary: Self.union(first, second)),
        operation: .chooseText(condition.operation, a.operation, b.operation), history: history)
    case .isMissing:
      let part = try bind(arguments[0])
      return Part(
        kind: .condition,
        operation: part.kind.isText ? .textIsMissing(part.operation) : .isMissing(part.operation),
        history: part.history)
    case .lag: return try lag(arguments)
    case .year, .month, .day, .hour, .minute, .second, .weekday: return try date(function, arguments[0])
    case .log, .log10, .exp, .sqrt, .pow, .abs, .min, .max, .floor, .ceil, .round, .sin, .cos, .coalesce:
      var operations: [Operation] = []
      var history = 0
      for argument in arguments {
        let part = try number(argument, of: name)
        operations.append(part.operation)
        history = max(history, part.history)
      }
      return Part(kind: .number, operation: .function(function, operations), history: history)
    }
  }

  private mutating func lag(_ arguments: [Expression.Node]) throws(ExpressionError) -> Part {
    guard case .number(let rows) = arguments[1].syntax, let rows = Int(exactly: rows),
      (1...Self.mostLag).contains(rows)
    else {
      throw ExpressionError(
        place: arguments[1].place, message: "'lag' needs a whole number of rows from 1 to \(Self.mostLag)")
    }
    lags += 1
    defer { lags -= 1 }
    let part = try number(arguments[0], of: "'lag'")
    guard part.history <= Self.mostLag - rows else {
      throw ExpressionError(place: arguments[1].place, message: "lags of more than \(Self.mostLag) rows in all")
    }
    return Part(
      kind: part.kind, operation: .lag(part.operation, rows: rows), history: part.history + rows)
  }

  private mutating func date(
    _ function: ExpressionFunction, _ argument: Expression.Node
  ) throws(ExpressionError) -> Part {
    let part = try number(argument, of: quoted(function.rawValue))
    if case .column(let name) = argument.syntax, let index = scope.index(of: name),
      scope.columns[index].type != .dateTime
    {
      throw ExpressionError(
        place: argument.place,
        message:
          "'\(function.rawValue)' needs a date, and the column \(quoted(name)) is \(scope.columns[index].type.rawValue)"
      )
    }
    guard let datePart = function.datePart else { preconditionFailure("'\(function.rawValue)' is no part of a date") }
    return Part(kind: .number, operation: .date(datePart, part.operation), history: part.history)
  }

  private static func union(_ first: [String]?, _ second: [String]?) -> [String]? {
    guard let first, let second else { return nil }
    return Set(first).union(second).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// A part that is a number, or a condition taken as 1 and 0.
  private mutating func number(_ node: Expression.Node, of what: String) throws(ExpressionError) -> Part {
    let part = try bind(node)
    guard !part.kind.isText else {
      throw ExpressionError(place: node.place, message: "\(what) needs numbers, and this is a text")
    }
    return part
  }

  private mutating func condition(_ node: Expression.Node, of what: String) throws(ExpressionError) -> Part {
    let part = try bind(node)
    guard part.kind == .condition else {
      let hint = part.kind == .number ? "; compare it, as in x != 0" : ""
      throw ExpressionError(
        place: node.place, message: "\(what) needs a condition, and this is \(part.kind.words)\(hint)")
    }
    return part
  }
}
