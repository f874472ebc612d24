import Testing

@testable import Preparation

/// What expressions mean, and what is said of those that mean nothing.
@Suite struct ExpressionTests {
  private static let schemas = [
    ColumnSchema(name: "x", type: .real), ColumnSchema(name: "y", type: .integer),
    ColumnSchema(name: "flag", type: .boolean),
    ColumnSchema(name: "cut", type: .category, dictionary: ["Fair", "Good", "Ideal"]),
    ColumnSchema(name: "note", type: .text), ColumnSchema(name: "at", type: .dateTime),
    ColumnSchema(name: "net price ($)", type: .real), ColumnSchema(name: "a`b", type: .real),
  ]

  /// Two rows with values, one with none, one with a category that is not known.
  private static let columns: [Column] = [
    .numbers([2, -3, .nan, 0]), .numbers([5, 4, .nan, 0]), .numbers([1, 0, .nan, 1]),
    .codes([0, 2, Column.missingCode, Column.unknownCode]), .texts(["red", "blue", nil, "red"]),
    // 2024-02-29 13:45:30.5, 1969-12-31 23:59:59
    .numbers([1_709_214_330.5, -1, .nan, 0]), .numbers([10, 20, .nan, 0]), .numbers([7, 8, .nan, 0]),
  ]

  private static func bound(_ text: String) throws -> BoundExpression {
    try BoundExpression(
      try Expression(text), in: ExpressionScope(schemas), history: [Int](repeating: 0, count: schemas.count))
  }

  private static func evaluate(_ text: String) throws -> Column {
    ExpressionEvaluator(rows: 4, columns: columns, schemas: schemas).column(try bound(text))
  }

  private static func numbers(_ text: String) throws -> [Double] {
    guard case .numbers(let values) = try evaluate(text) else { return [] }
    return values
  }

  /// The value for the first row.
  @Test(arguments: [
    ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("10 - 4 - 3", 3), ("24 / 4 / 3", 2), ("2 ^ 3 ^ 2", 512), ("2 ** 3", 8),
    ("-2 ^ 2", -4), ("2 ^ -1", 0.5), ("2 * -3", -6), ("+3", 3), ("- -3", 3), ("7 % 3", 1), ("-7 % 3", 2),
    ("7 % -3", -2), ("1e3 + .5 + 2.", 1002.5), ("x + y", 7), ("x - y", -3), ("x * y", 10), ("y / x", 2.5),
    ("x ^ y", 32),
    ("1 < 2", 1), ("2 < 1", 0), ("2 <= 2", 1), ("3 > 2", 1), ("3 >= 4", 0), ("2 == 2", 1), ("2 != 2", 0),
    ("1 < 2 && 3 < 4", 1), ("1 < 2 && 4 < 3", 0), ("2 < 1 || 3 < 4", 1), ("!(1 < 2)", 0), ("!flag", 0),
    ("true", 1), ("false || flag", 1), ("(1 < 2) == true", 1),
    ("x < 0 ? 10 : 20", 20), ("if(x > 0, y, -y)", 5), ("x < 0 ? 1 : x < 3 ? 2 : 3", 2),
    ("log(1)", 0), ("log10(1000)", 3), ("exp(0)", 1), ("sqrt(9)", 3), ("pow(2, 10)", 1024), ("abs(-4)", 4),
    ("min(3, 1, 2)", 1), ("max(3, 1, 2)", 3), ("floor(2.7)", 2), ("ceil(2.1)", 3), ("round(2.5)", 2), ("round(3.5)", 4),
    ("sin(0)", 0), ("cos(0)", 1), ("coalesce(log(-1), 4)", 4), ("is_missing(x)", 0), ("is_missing(log(-1))", 1),
    ("flag + 1", 2), ("`net price ($)` * 2", 20), ("`a``b` + `x`", 9),
    ("cut == 'Fair'", 1), ("cut != 'Fair'", 0), ("'Fair' == cut", 1), ("cut < 'Good'", 1), ("cut >= 'Good'", 0),
    ("cut == 'none of them'", 0), ("note == \"red\"", 1), ("note == cut", 0), ("'it''s' == 'it''s'", 1),
    ("(x > 0 ? cut : 'none') == 'Fair'", 1), ("is_missing(cut)", 0), ("is_missing(note)", 0),
    ("year(at)", 2024), ("month(at)", 2), ("day(at)", 29), ("hour(at)", 13), ("minute(at)", 45), ("second(at)", 30.5),
    ("weekday(at)", 3), ("at >= '2024-02-29'", 1), ("at < '2024-02-29 13:45:30.500'", 0),
    ("'2024-02-29T14:45:30.5+01:00' == at", 1), ("(at - 1709164800) / 3600", 13.758472222222222),
  ])
  func value(text: String, expected: Double) throws {
    #expect(try Self.numbers(text).first == expected)
  }

  /// The second row, before 1970 and the epoch.
  @Test(arguments: [
    ("year(at)", 1969), ("month(at)", 12), ("day(at)", 31), ("hour(at)", 23), ("second(at)", 59), ("weekday(at)", 2),
  ])
  func datesBefore1970(text: String, expected: Double) throws {
    #expect(try Self.numbers(text)[1] == expected)
  }

  /// What is missing stays missing; conditions look past it where the other side decides.
  @Test(
    arguments: [
      ("x + 1", nil), ("-x", nil), ("x ^ 0", nil), ("1 ^ x", nil), ("x == x", nil), ("x != 1", nil), ("min(x, 1)", nil),
      ("max(1, x)", nil), ("!flag", nil), ("flag && true", nil), ("flag && false", 0), ("false && flag", 0),
      ("flag || false", nil), ("flag || true", 1), ("flag ? 1 : 2", nil), ("is_missing(x)", 1), ("is_missing(cut)", 1),
      ("is_missing(note)", 1), ("cut == 'Fair'", nil), ("cut != 'Fair'", nil), ("note == 'red'", nil),
      ("note != cut", nil),
      ("coalesce(x, 5)", 5), ("coalesce(x, y, 6)", 6), ("year(at)", nil), ("log(x)", nil), ("lag(x, 1)", -3),
      ("true ? 3 : x", 3), ("floor(x)", nil),
    ] as [(String, Double?)])
  func missingValues(text: String, expected: Double?) throws {
    let value = try Self.numbers(text)[2]
    #expect(value.isNaN ? expected == nil : value == expected)
  }

  /// What is no finite number is missing.
  @Test(arguments: [
    "1 / 0", "0 / 0", "log(0)", "log(-1)", "sqrt(-1)", "1e300 * 1e300", "exp(1000)", "5 % 0", "(-8) ^ (1/3)",
  ])
  func notFinite(text: String) throws {
    #expect(try Self.numbers(text)[0].isNaN)
  }

  /// A category that the dictionary lacks is unequal to every text.
  @Test(
    arguments: [("cut == 'Fair'", 0), ("cut != 'Fair'", 1), ("cut < 'Fair'", nil), ("is_missing(cut)", 0)]
      as [(String, Double?)])
  func unknownCategory(text: String, expected: Double?) throws {
    let value = try Self.numbers(text)[3]
    #expect(value.isNaN ? expected == nil : value == expected)
  }

  @Test func lagsLookBackInOrder() throws {
    let values = try Self.numbers("lag(y, 1)")
    #expect(values[0].isNaN && values[1] == 5 && values[2] == 4 && values[3].isNaN)
    #expect(try Self.bound("lag(lag(x, 2) + y, 3)").history == 5)
    #expect(try Self.bound("lag(x, 1)").presentColumns.isEmpty)
    #expect(try Self.bound("lag(x, 1) + y").presentColumns == [1])
  }

  @Test func texts() throws {
    #expect(try Self.bound("flag ? cut : 'Poor'").dictionary == ["Fair", "Good", "Ideal", "Poor"])
    #expect(try Self.evaluate("flag ? cut : 'Poor'") == .codes([0, 3, -1, -2]))
    #expect(try Self.evaluate("flag ? 'small' : 'big'") == .codes([1, 0, -1, 1]))
    #expect(try Self.evaluate("flag ? note : cut") == .texts(["red", "Ideal", nil, "red"]))
    #expect(try Self.bound("flag ? note : cut").type == .text)
    #expect(try Self.bound("x > 1").type == .boolean)
    #expect(try Self.bound("x + 1").type == .real)
  }

  @Test(arguments: [
    ("", 1, "expected a value, not the end of the expression"),
    ("x +", 4, "expected a value, not the end of the expression"),
    ("x y", 3, "expected an operator or the end, not 'y'"),
    ("(x + 1", 7, "expected ')' for the '(' at character 1, not the end of the expression"),
    ("x + 1)", 6, "expected an operator or the end, not ')'"),
    ("max(x, y", 9, "expected ')' for the '(' at character 4, not the end of the expression"),
    ("x > 0 && price < 3", 10, "there is no column 'price'; a text takes quotes: 'price'"),
    ("flg && x > 0", 1, "there is no column 'flg'; did you mean 'flag'?; a text takes quotes: 'flg'"),
    ("x = 3", 3, "'=' means nothing here; did you mean '=='?"),
    ("x > 0 & y > 0", 7, "'&' means nothing here; did you mean '&&'?"),
    ("x > 0 | y > 0", 7, "'|' means nothing here; did you mean '||'?"),
    ("x <> 3", 3, "'<>' means nothing here; did you mean '!='?"),
    ("x > 0 and y > 0", 7, "expected an operator or the end, not 'and'; did you mean '&&'?"),
    ("not flag", 5, "expected an operator or the end, not 'flag'"),
    ("0 < x < 3", 7, "'<' and '<' in one comparison: join two with '&&'"),
    ("sqr(x)", 1, "there is no function 'sqr'; did you mean 'sqrt'?"),
    ("log(x, 2)", 1, "'log' takes 1 argument, not 2"),
    ("pow(x)", 1, "'pow' takes 2 arguments, not 1"),
    ("max()", 1, "'max' takes 1 to 100 arguments, not 0"),
    ("if(x, 1, 2)", 4, "'if' needs a condition, and this is a number; compare it, as in x != 0"),
    ("x && flag", 1, "'&&' needs a condition, and this is a number; compare it, as in x != 0"),
    ("!x", 2, "'!' needs a condition, and this is a number; compare it, as in x != 0"),
    ("cut + 1", 1, "'+' needs numbers, and this is a text"), ("log(cut)", 5, "'log' needs numbers, and this is a text"),
    ("cut == 3", 5, "'==' compares a text and a number"), ("x > 'a'", 3, "'>' compares a number and a text"),
    ("flag ? 1 : 'a'", 6, "'if' chooses between a number and a text"),
    ("flag ? 1", 9, "expected ':' between the two cases of '?', not the end of the expression"),
    ("'abc", 1, "this quote is not closed"), ("`abc", 1, "this quote is not closed"),
    ("3x", 1, "this is no number; a column whose name begins with a digit takes backticks"),
    ("1e", 1, "this is no number; a column whose name begins with a digit takes backticks"),
    ("1e999", 1, "this is no number; a column whose name begins with a digit takes backticks"),
    ("x # y", 3, "'#' means nothing here"), ("x; y", 2, "';' means nothing here"),
    ("lag(x, y)", 8, "'lag' needs a whole number of rows from 1 to 100000"),
    ("lag(x, 0)", 8, "'lag' needs a whole number of rows from 1 to 100000"),
    ("lag(x, 1.5)", 8, "'lag' needs a whole number of rows from 1 to 100000"),
    ("lag(cut, 1)", 5, "'lag' needs numbers, and this is a text"),
    ("year(x)", 6, "'year' needs a date, and the column 'x' is real"),
    ("at > 'yesterday'", 6, "'yesterday' is no date; write '2026-01-31' or with a time"),
    ("at > '2023-02-29'", 6, "'2023-02-29' is no date; write '2026-01-31' or with a time"),
    (
      "système(x)", 1,
      "there is no function 'système'; there are log, log10, exp, sqrt, pow, abs, min, max, floor, ceil, "
        + "round, sin, cos, if, coalesce, is_missing, lag, year, month, day, hour, minute, second, weekday"
    ),
  ])
  func mistakesHaveAPlace(text: String, place: Int, message: String) throws {
    let error = #expect(throws: ExpressionError.self) { try Self.bound(text) }
    #expect(error == ExpressionError(place: place, message: message))
  }

  /// Nothing that a file can hold makes the parser call itself without bound, or the evaluator after it.
  @Test(arguments: [
    String(repeating: "(", count: 9_000), String(repeating: "-", count: 9_000) + "1",
    String(repeating: "!", count: 9_000) + "flag", String(repeating: "2^", count: 4_000) + "2",
    String(repeating: "x?", count: 4_000), String(repeating: "flag ? 1 : ", count: 900) + "2",
    String(repeating: "log(", count: 2_000), "1" + String(repeating: "+1", count: 4_900),
    String(repeating: "x", count: 20_000), String(repeating: "max(1,", count: 1_500),
  ])
  func hostile(text: String) throws {
    #expect(throws: ExpressionError.self) { try Self.bound(text) }
  }

  /// What the bounds allow can be computed.
  @Test(
    arguments: [
      (String(repeating: "(", count: 40) + "1" + String(repeating: ")", count: 40), 1),
      ("1" + String(repeating: "+1", count: 290), 291), (String(repeating: "flag ? 1 : ", count: 90) + "2", 1),
    ] as [(String, Double)])
  func deepButAllowed(text: String, expected: Double) throws {
    #expect(try Self.numbers(text)[0] == expected)
  }
}
