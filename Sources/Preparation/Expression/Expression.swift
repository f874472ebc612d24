/// A formula over the columns of a table, as text and as its structure.
///
/// Arithmetic `+ - * / % ^`, comparisons `== != < <= > >=`, conditions `&& || !` and `a ? b : c`, the functions of
/// `ExpressionFunction`, numbers, texts in quotes, `true` and `false`; columns by name, in backticks where the name is no
/// plain word. `**` is `^`.
public struct Expression: Equatable, Sendable {
  public let text: String
  let root: Node

  /// A part of the structure, and the character of the text that it comes from.
  struct Node: Equatable, Sendable {
    var syntax: Syntax
    var place: Int
    /// How many operations lie within each other here: bounds the recursion of all that walks the structure.
    var height: Int
  }

  indirect enum Syntax: Equatable, Sendable {
    case number(Double)
    case text(String)
    case boolean(Bool)
    case column(String)
    case unary(Unary, Node)
    case binary(Binary, Node, Node)
    case call(ExpressionFunction, [Node])
  }

  enum Unary: String, Sendable {
    case minus = "-"
    case not = "!"
  }

  enum Binary: String, Sendable {
    case or = "||"
    case and = "&&"
    case equal = "=="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divided = "/"
    case remainder = "%"
    case power = "^"

    /// Binds the tighter the larger.
    var precedence: Int {
      switch self {
      case .or: 1
      case .and: 2
      case .equal, .unequal, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
      case .plus, .minus: 4
      case .times, .divided, .remainder: 5
      case .power: 7
      }
    }

    var isComparison: Bool { precedence == 3 }

    init?(mark: String) { self.init(rawValue: mark == "**" ? "^" : mark) }
  }

  /// Reads an expression. What its columns are is not asked yet.
  /// - Throws: `ExpressionError` at the first character that does not fit, or where a limit is passed.
  public init(_ text: String) throws(ExpressionError) {
    self.text = text
    var parser = try ExpressionParser(text)
    root = try parser.expression()
  }

  /// The names of the columns in it.
  var columnNames: Set<String> {
    var names: Set<String> = []
    Self.collect(root, into: &names)
    return names
  }

  private static func collect(_ node: Node, into names: inout Set<String>) {
    switch node.syntax {
    case .number, .text, .boolean: break
    case .column(let name): names.insert(name)
    case .unary(_, let operand): collect(operand, into: &names)
    case .binary(_, let left, let right):
      collect(left, into: &names)
      collect(right, into: &names)
    case .call(_, let arguments): for argument in arguments { collect(argument, into: &names) }
    }
  }
}
