/// A piece of an expression that has a meaning of its own.
struct ExpressionToken: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    case number(Double)
    /// In single or double quotes.
    case text(String)
    /// A word that may be a column, a function or a constant.
    case word(String)
    /// In backticks: a column, whatever its name.
    case column(String)
    /// An operator, a bracket, a comma.
    case mark(String)
    case end
  }

  let kind: Kind
  /// Its first character, counted from 1.
  let place: Int

  /// What it is, for messages.
  var words: String {
    switch kind {
    case .number(let number): "the number \(ClassIndex.name(number))"
    case .text(let text): "the text \(quoted(text))"
    case .word(let word): quoted(word)
    case .column(let name): "the column `\(name)`"
    case .mark(let mark): quoted(mark)
    case .end: "the end of the expression"
    }
  }

  /// Longer ones first, so that `<=` is not read as `<`.
  private static let marks = [
    "&&", "||", "==", "!=", "<=", ">=", "**", "<", ">", "+", "-", "*", "/", "%", "^", "!", "?", ":", "(", ")", ",",
  ]

  /// What people write in place of a mark.
  private static let slips = ["=": "==", "&": "&&", "|": "||", "<>": "!=", "~": "!"]

  /// Cuts a text into tokens, the last of which is its end.
  /// - Throws: `ExpressionError` at a character that begins no token, or a quote that is not closed.
  static func tokens(of text: String) throws(ExpressionError) -> [ExpressionToken] {
    let scalars = Array(text.unicodeScalars)
    var tokens: [ExpressionToken] = []
    var position = 0
    while position < scalars.count {
      let scalar = scalars[position]
      let place = position + 1
      if scalar.properties.isWhitespace {
        position += 1
      } else if isDigit(scalar) || scalar == "." {
        tokens.append(ExpressionToken(kind: .number(try number(scalars, &position)), place: place))
      } else if scalar == "'" || scalar == "\"" {
        tokens.append(ExpressionToken(kind: .text(try quotation(scalars, &position)), place: place))
      } else if scalar == "`" {
        tokens.append(ExpressionToken(kind: .column(try quotation(scalars, &position)), place: place))
      } else if isLetter(scalar) {
        let start = position
        while position < scalars.count, isLetter(scalars[position]) || isDigit(scalars[position]) { position += 1 }
        tokens.append(ExpressionToken(kind: .word(string(scalars[start..<position])), place: place))
      } else if let mark = marks.first(where: { scalars[position...].starts(with: $0.unicodeScalars) }),
        !scalars[position...].starts(with: "<>".unicodeScalars)
      {
        tokens.append(ExpressionToken(kind: .mark(mark), place: place))
        position += mark.unicodeScalars.count
      } else {
        let slip = slips.first { scalars[position...].starts(with: $0.key.unicodeScalars) }
        let hint = slip.map { "; did you mean \(quoted($0.value))?" } ?? ""
        throw ExpressionError(
          place: place, message: "\(quoted(slip?.key ?? String(scalar))) means nothing here\(hint)")
      }
    }
    tokens.append(ExpressionToken(kind: .end, place: scalars.count + 1))
    return tokens
  }

  /// Whether `text` can stand in an expression as the name of a column without backticks.
  static func isWord(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    guard let first = scalars.first, isLetter(first) else { return false }
    return scalars.allSatisfy { isLetter($0) || isDigit($0) }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar.properties.isAlphabetic }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars)
    return text
  }

  private static func number(_ scalars: [Unicode.Scalar], _ position: inout Int) throws(ExpressionError) -> Double {
    let start = position
    func digits() { while position < scalars.count, isDigit(scalars[position]) { position += 1 } }
    digits()
    if position < scalars.count, scalars[position] == "." {
      position += 1
      digits()
    }
    if position < scalars.count, scalars[position] == "e" || scalars[position] == "E" {
      position += 1
      if position < scalars.count, scalars[position] == "+" || scalars[position] == "-" { position += 1 }
      digits()
    }
    let bytes = Array(string(scalars[start..<position]).utf8)
    guard let number = DecimalParser().double(bytes.span, 0..<bytes.count), number.isFinite,
      position == scalars.count || !isLetter(scalars[position])
    else {
      throw ExpressionError(
        place: start + 1, message: "this is no number; a column whose name begins with a digit takes backticks")
    }
    return number
  }

  /// The text between the quote at `position` and the next one; a doubled quote stands for one.
  private static func quotation(
    _ scalars: [Unicode.Scalar], _ position: inout Int
  ) throws(ExpressionError) -> String {
    let start = position
    let quote = scalars[start]
    var text = ""
    position += 1
    while position < scalars.count {
      if scalars[position] == quote {
        position += 1
        guard position < scalars.count, scalars[position] == quote else { return text }
      }
      text.unicodeScalars.append(scalars[position])
      position += 1
    }
    throw ExpressionError(place: start + 1, message: "this quote is not closed")
  }
}
