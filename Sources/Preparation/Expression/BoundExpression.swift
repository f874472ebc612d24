/// An expression on columns that are known: names are places, and every part is a number, a condition or a text.
struct BoundExpression: Sendable {
  enum Kind: Equatable, Sendable {
    case number
    /// A number too: 1 is true, 0 is false.
    case condition
    /// A text of the given ones, in the order of their UTF-8 bytes; nil where all texts are possible.
    case text(dictionary: [String]?)

    var words: String {
      switch self {
      case .number: "a number"
      case .condition: "a condition"
      case .text: "a text"
      }
    }

    var isText: Bool { if case .text = self { true } else { false } }
  }

  indirect enum Operation: Sendable {
    case number(Double)
    case text(String)
    case column(Int)
    case minus(Operation)
    case not(Operation)
    case arithmetic(Expression.Binary, Operation, Operation)
    case and(Operation, Operation)
    case or(Operation, Operation)
    case compare(Expression.Binary, Operation, Operation)
    case compareTexts(Expression.Binary, Operation, Operation)
    case choose(Operation, Operation, Operation)
    case chooseText(Operation, Operation, Operation)
    case isMissing(Operation)
    case textIsMissing(Operation)
    case function(ExpressionFunction, [Operation])
    case date(DatePart, Operation)
    case lag(Operation, rows: Int)
  }

  let kind: Kind
  let root: Operation
  /// Places of the columns in it.
  let columns: Set<Int>
  /// Those of them that it sees the present row of, and not only earlier ones.
  let presentColumns: Set<Int>
  /// How many rows before a row it looks at.
  let history: Int

  /// The type of a column of its values.
  var type: ColumnType {
    switch kind {
    case .number: .real
    case .condition: .boolean
    case .text(let dictionary): dictionary == nil ? .text : .category
    }
  }

  var dictionary: [String]? { if case .text(let dictionary) = kind { dictionary } else { nil } }

  /// - Parameter history: how many rows before a row each column of the scope looks at.
  /// - Throws: `ExpressionError` where a column does not exist, or a part is of the wrong kind.
  init(_ expression: Expression, in scope: ExpressionScope, history: [Int]) throws(ExpressionError) {
    var binder = ExpressionBinder(scope: scope, history: history)
    let bound = try binder.bind(expression.root)
    (kind, root, self.history) = (bound.kind, bound.operation, bound.history)
    (columns, presentColumns) = (binder.columns, binder.presentColumns)
  }
}
