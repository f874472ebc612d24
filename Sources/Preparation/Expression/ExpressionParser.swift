internal import Text

/// Reads an expression by precedence; how deep it calls itself is bounded.
struct ExpressionParser {
  private static let mostCharacters = 10_000
  private static let mostNested = 100
  private static let mostHeight = 300
  /// Above all binary operators but the power: -2^2 is -4, and -a*b is (-a)*b.
  private static let unaryPrecedence = 6

  private let tokens: [ExpressionToken]
  private var position = 0
  private var nested = 0

  init(_ text: String) throws(ExpressionError) {
    let count = text.unicodeScalars.count
    guard count <= Self.mostCharacters else {
      throw ExpressionError(
        place: Self.mostCharacters + 1,
        message: "an expression of \(count) characters; the most is \(Self.mostCharacters)")
    }
    tokens = try ExpressionToken.tokens(of: text)
  }

  private var current: ExpressionToken { tokens[position] }

  /// The whole expression and nothing behind it.
  mutating func expression() throws(ExpressionError) -> Expression.Node {
    let node = try conditional()
    guard current.kind == .end else { throw unexpected("an operator or the end") }
    return node
  }

  /// `a ? b : c`, or what binds tighter.
  private mutating func conditional() throws(ExpressionError) -> Expression.Node {
    try enter()
    defer { nested -= 1 }
    let condition = try operation(least: 1)
    let place = current.place
    guard take("?") else { return condition }
    let first = try conditional()
    try expect(":", "between the two cases of '?'")
    let second = try conditional()
    return try node(.call(.if, [condition, first, second]), [condition, first, second], place)
  }

  /// Operations that bind at least as tightly as `least`.
  private mutating func operation(least: Int) throws(ExpressionError) -> Expression.Node {
    try enter()
    defer { nested -= 1 }
    var left = try operand()
    var lastComparison: Expression.Binary?
    while case .mark(let mark) = current.kind, let binary = Expression.Binary(mark: mark), binary.precedence >= least {
      let place = current.place
      if binary.isComparison {
        if let lastComparison {
          throw ExpressionError(
            place: place,
            message: "'\(lastComparison.rawValue)' and '\(binary.rawValue)' in one comparison: join two with '&&'")
        }
        lastComparison = binary
      }
      position += 1
      // A power takes the rest of the powers with it: 2^3^2 is 2^9.
      let right = try operation(least: binary == .power ? binary.precedence : binary.precedence + 1)
      left = try node(.binary(binary, left, right), [left, right], place)
    }
    return left
  }

  /// A sign with what it applies to, or a value.
  private mutating func operand() throws(ExpressionError) -> Expression.Node {
    let token = current
    guard case .mark(let mark) = token.kind, ["-", "+", "!"].contains(mark) else { return try value() }
    position += 1
    let inner = try operation(least: Self.unaryPrecedence)
    switch mark {
    case "-": return try node(.unary(.minus, inner), [inner], token.place)
    case "!": return try node(.unary(.not, inner), [inner], token.place)
    default: return inner
    }
  }

  private mutating func value() throws(ExpressionError) -> Expression.Node {
    let token = current
    switch token.kind {
    case .number(let number):
      position += 1
      return try node(.number(number), [], token.place)
    case .text(let text):
      position += 1
      return try node(.text(text), [], token.place)
    case .column(let name):
      position += 1
      return try node(.column(name), [], token.place)
    case .word(let word):
      position += 1
      if current.kind == .mark("(") { return try call(word, token.place) }
      if word == "true" || word == "false" { return try node(.boolean(word == "true"), [], token.place) }
      return try node(.column(word), [], token.place)
    case .mark("("):
      position += 1
      let inner = try conditional()
      try expect(")", "for the '(' at character \(token.place)")
      return inner
    case .mark, .end: throw unexpected("a value")
    }
  }

  /// The arguments of a function; the current token is their bracket.
  private mutating func call(_ name: String, _ place: Int) throws(ExpressionError) -> Expression.Node {
    guard let function = ExpressionFunction(rawValue: name) else {
      let names = ExpressionFunction.allCases.map(\.rawValue)
      let near = closest(to: name, among: names).map { "; did you mean \(quoted($0))?" }
      throw ExpressionError(
        place: place,
        message: "there is no function \(quoted(name))\(near ?? "; there are \(names.joined(separator: ", "))")")
    }
    let bracket = current.place
    position += 1
    var arguments: [Expression.Node] = []
    if !take(")") {
      repeat { arguments.append(try conditional()) } while take(",")
      try expect(")", "for the '(' at character \(bracket)")
    }
    guard function.arguments.contains(arguments.count) else {
      let (least, most) = (function.arguments.lowerBound, function.arguments.upperBound)
      let wanted = least == most ? "\(least)" : "\(least) to \(most)"
      throw ExpressionError(
        place: place,
        message: "\(quoted(name)) takes \(wanted) \(most == 1 ? "argument" : "arguments"), not \(arguments.count)")
    }
    return try node(.call(function, arguments), arguments, place)
  }

  private mutating func enter() throws(ExpressionError) {
    nested += 1
    guard nested <= Self.mostNested else {
      throw ExpressionError(place: current.place, message: "brackets, signs or cases lie too deeply within each other")
    }
  }

  private func node(
    _ syntax: Expression.Syntax, _ parts: [Expression.Node], _ place: Int
  ) throws(ExpressionError) -> Expression.Node {
    let height = 1 + (parts.map(\.height).max() ?? 0)
    guard height <= Self.mostHeight else {
      throw ExpressionError(
        place: place,
        message: "more than \(Self.mostHeight) operations within each other; derive a column for a part of them")
    }
    return Expression.Node(syntax: syntax, place: place, height: height)
  }

  /// Steps over a mark if it is the current token.
  private mutating func take(_ mark: String) -> Bool {
    guard current.kind == .mark(mark) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ mark: String, _ what: String) throws(ExpressionError) {
    guard take(mark) else { throw unexpected("'\(mark)' \(what)") }
  }

  private func unexpected(_ wanted: String) -> ExpressionError {
    var message = "expected \(wanted), not \(current.words)"
    if case .word(let word) = current.kind,
      let mark = ["and": "&&", "or": "||", "not": "!", "is": "=="][word.lowercased()]
    {
      message += "; did you mean '\(mark)'?"
    }
    return ExpressionError(place: current.place, message: message)
  }
}
