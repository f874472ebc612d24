import JSON
import Testing

func parse(_ text: String, _ dialect: JSONDialect = .json) throws -> JSONValue {
  try JSONNode(parsing: Array(text.utf8), dialect: dialect).value
}

/// The error that a text leads to, or nil.
func failure(_ bytes: [UInt8], _ dialect: JSONDialect = .json, depthLimit: Int = 64) -> JSONError? {
  do {
    _ = try JSONNode(parsing: bytes, dialect: dialect, depthLimit: depthLimit)
    return nil
  } catch {
    return error
  }
}

/// RFC 8259, case by case.
@Suite struct AcceptanceTests {
  @Test(
    arguments: [
      ("null", .null), ("true", true), ("false", false), ("0", 0), ("-0", .number(-0.0)), ("-1", -1), ("42", 42),
      ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.0", 1.0), ("1e3", 1e3), ("1E+3", 1e3),
      ("1.25e-2", 0.0125), ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-400", .number(0)), ("0e1", .number(0)),
      ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
      (#""""#, ""), (#""a""#, "a"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e4\u20AC""#, "ä€"),
      (#""\ud83d\ude00""#, "😀"), (#""\u0000""#, "\0"), (#""ä€😀""#, "ä€😀"), ("\"\u{7f}\"", "\u{7f}"),
      ("\"\u{2028}\"", "\u{2028}"), (#""/""#, "/"), ("[]", []), ("[1]", [1]), (" [ 1 , [ ] , { } ] ", [1, [], [:]]),
      ("{}", [:]), (#"{"a":1,"b":[true]}"#, ["a": 1, "b": [true]]), (#"{"":0}"#, ["": 0]), ("\u{feff}1", 1),
      ("\t\r\n 1\r\n", 1), (#"{"\u0061":1}"#, ["a": 1]),
    ] as [(String, JSONValue)])
  func accepted(_ text: String, _ value: JSONValue) throws {
    #expect(try parse(text) == value)
    #expect(try parse(text, .json5) == value)
  }

  @Test func theSignOfZeroIsKept() throws {
    #expect(try parse("-0").asDouble?.sign == .minus)
  }

  @Test(arguments: [
    ("", 1, 1, "the text is empty, expected a value"),
    (" \n ", 2, 2, "the text is empty, expected a value"),
    ("1 2", 1, 3, "expected the end of the text after the value, not '2'"),
    ("{\"model\": 1 \"x\": 2}", 1, 13, "expected ',' or '}' after the value of 'model', not '\"'"),
    (
      "{\n  \"model\": 1\n", 3, 1,
      "expected ',' or '}' after the value of 'model', not the end of the text; "
        + "the object that begins at line 1, column 1 is not closed"
    ),
    ("[1 2]", 1, 4, "expected ',' or ']' after element 1, not '2'"),
    (
      "[1,", 1, 4,
      "expected a value or ']', not the end of the text; the array that begins at line 1, column 1 is not closed"
    ),
    ("[,1]", 1, 2, "expected a value or ']', not ','"),
    ("[1,]", 1, 4, "a comma before ']' is not allowed"),
    ("{\"a\":1,}", 1, 8, "a comma before '}' is not allowed"),
    ("{\"a\" 1}", 1, 6, "expected ':' after the key 'a', not '1'"),
    ("{\"a\":}", 1, 6, "expected a value for 'a', not '}'"),
    ("{a:1}", 1, 2, "expected a key in double quotes, not 'a'"),
    ("{'a':1}", 1, 2, "a key takes double quotes"),
    ("'a'", 1, 1, "a string takes double quotes"),
    ("{\"ä\":1,\r\n\"b\":2,\r\"ä\":3}", 3, 1, "the key 'ä' was given before, at line 1, column 2"),
    ("[\"ä😀\", x]", 1, 8, "expected a value or ']', not 'x'; text takes quotes"),
    ("True", 1, 1, "expected a value, not 'True'; did you mean true?"),
    ("None", 1, 1, "expected a value, not 'None'; did you mean null?"),
    ("NaN", 1, 1, "expected a value; a number has to be finite"),
    ("nul", 1, 1, "expected a value, not 'nul'; text takes quotes"),
    ("truex", 1, 1, "expected a value, not 'truex'; text takes quotes"),
    ("// x\n1", 1, 1, "comments are not allowed in JSON"),
    ("+1", 1, 1, "a number cannot begin with '+'"),
    ("01", 1, 1, "a number cannot begin with a zero before other digits"),
    ("-", 1, 2, "expected a digit, not the end of the text"),
    ("-x", 1, 2, "expected a digit, not 'x'"),
    (".5", 1, 1, "a decimal point takes a digit before and behind it"),
    ("5.", 1, 1, "a decimal point takes a digit before and behind it"),
    ("1e", 1, 3, "expected a digit of the exponent, not the end of the text"),
    ("1.2.3", 1, 4, "expected the end of the number, not '.'"),
    ("0x10", 1, 2, "expected the end of the number, not 'x'"),
    ("1e400", 1, 1, "the number is too large for a double"),
    ("\"a", 1, 1, "this string is not closed"),
    ("\"a\nb\"", 1, 3, "the string that begins in column 1 is not closed before the end of the line"),
    ("\"\t\"", 1, 2, "a control character in a string has to be written as an escape, not as the byte 9"),
    ("\"\\x41\"", 1, 2, "unknown escape: '\\' before 'x'"),
    ("\"\\", 1, 2, "expected an escape after '\\', not the end of the text"),
    ("\"\\u12g4\"", 1, 2, "expected 4 hexadecimal digits after '\\u'"),
    ("\"\\ud800\"", 1, 2, "a surrogate without its other half is not a character"),
    ("\"\\udc00\"", 1, 2, "a surrogate without its other half is not a character"),
    ("\"\\ud800\\u0041\"", 1, 2, "a surrogate without its other half is not a character"),
    ("]", 1, 1, "expected a value, not ']'"),
    ("\u{a0}1", 1, 1, "expected a value, not the character U+A0"),
    ("\u{0}", 1, 1, "expected a value, not the byte 0"),
  ])
  func refused(_ text: String, _ line: Int, _ column: Int, _ message: String) {
    #expect(failure(Array(text.utf8)) == JSONError(line: line, column: column, message: message))
  }

  /// Overlong forms, surrogates, beyond U+10FFFF, lone and missing continuation bytes.
  @Test(
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82],
      [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ] as [[UInt8]])
  func notUTF8(_ bytes: [UInt8]) {
    for dialect in [JSONDialect.json, .json5] {
      let error = failure(Array("[\"ä".utf8) + bytes + Array("\"]".utf8), dialect)
      #expect(error?.column == 4)
      #expect(error?.message.hasPrefix("the text is not UTF-8 at byte 0x") == true)
      #expect(failure(bytes, dialect) != nil)
    }
    #expect(failure(Array("//".utf8) + bytes + Array("\n1".utf8), .json5) != nil)
    #expect(failure(Array("/*".utf8) + bytes + Array("*/1".utf8), .json5) != nil)
  }

  @Test func placesOfKeysAndValues() throws {
    let node = try JSONNode(parsing: Array("\n{ \"ä\": [1,\n  2], /**/ b: {c: 'x'} }".utf8), dialect: .json5)
    let members = try #require(node.asObject)
    #expect((node.line, node.column) == (2, 1))
    #expect((members[0].keyLine, members[0].keyColumn) == (2, 3))
    #expect((members[0].value.line, members[0].value.column) == (2, 8))
    #expect((members[0].value.asArray?[1].line, members[0].value.asArray?[1].column) == (3, 3))
    #expect((members[1].keyLine, members[1].keyColumn) == (3, 12))
    #expect((node["b"]?["c"]?.line, node["b"]?["c"]?.column) == (3, 19))
  }

  @Test func whatValuesHold() throws {
    let value = try parse(#"{"i":3,"w":2.0,"f":2.5,"big":1e300,"s":"x","b":true,"n":null,"a":[1]}"#)
    #expect(value["i"]?.asInt == 3 && value["i"]?.asDouble == 3)
    #expect(value["w"]?.asInt == 2 && value["f"]?.asInt == nil && value["f"]?.asDouble == 2.5)
    #expect(value["big"]?.asInt == nil && value["s"]?.asString == "x" && value["s"]?.asInt == nil)
    #expect(value["b"]?.asBool == true && value["n"]?.isNull == true && value["a"]?.asArray?.count == 1)
    #expect(value["missing"] == nil && value.asArray == nil && value["i"]?["x"] == nil)
    #expect(try parse("9223372036854775808").asInt == nil)
    #expect(value["s"]?.kindName == "a string")
    #expect(value["f"]?.error("too small").description == "line 1, column 20: too small")
  }
}
