import JSON
import Testing

/// What JSON5 1.0.0 adds.
@Suite struct JSON5Tests {
  @Test(
    arguments: [
      ("// one\n/* two\n * / */ 1 // three", 1), ("[1,]", [1]), ("{a:1,}", ["a": 1]),
      ("'it\\'s \"so\"'", "it's \"so\""),
      ("{ÿ\\u0301:6,'q r':4}", ["ÿ\u{301}": 6, "q r": 4]),
      ("0x1F", 31), ("-0Xff", -255), ("0x7fffffffffffffff", .integer(.max)),
      ("0xffffffffffffffff", .number(18_446_744_073_709_551_616)), ("-0x0", .number(-0.0)), ("+1", 1), ("+0.5", 0.5),
      (".5", 0.5), ("5.", 5.0), ("-.5e1", -5.0), ("5.e1", 50.0), ("Infinity", .number(.infinity)),
      ("+Infinity", .number(.infinity)), ("-Infinity", .number(-.infinity)),
      ("'a\\\nb\\\r\nc\\\rd\\\u{2028}e'", "abcde"),
      (#"'\v\0\x41\q\A'"#, "\u{b}\0AqA"), ("'\t'", "\t"), ("'\u{2028}'", "\u{2028}"),
      ("\u{b}\u{c}\u{a0}\u{feff}\u{2003}1", 1),
      ("//x\u{2029}1", 1), ("[/**/]", []), ("{/**/}", [:]), ("'\\ä'", "ä"),
    ] as [(String, JSONValue)])
  func accepted(_ text: String, _ value: JSONValue) throws {
    #expect(try parse(text, .json5) == value)
    #expect(failure(Array(text.utf8)) != nil, "RFC 8259 allows none of these")
  }

  @Test func keysWithoutQuotes() throws {
    let value = try parse("{$a_1:1,ünï:2,\\u0061b:3,null:4,a\u{200d}b:5,NaN:6,true:7}", .json5)
    #expect(value.asObject?.map(\.key) == ["$a_1", "ünï", "ab", "null", "a\u{200d}b", "NaN", "true"])
  }

  @Test func notANumber() throws {
    #expect(try parse("NaN", .json5).asDouble?.isNaN == true)
    #expect(try parse("-NaN", .json5).asDouble?.isNaN == true)
  }

  @Test(
    arguments: [
      ("{a 1}", 1, 4, "expected ':' after the key 'a', not '1'"),
      ("{,}", 1, 2, "expected a key or '}', not ','"),
      ("[,]", 1, 2, "expected a value or ']', not ','"),
      ("[1,,]", 1, 4, "expected a value or ']', not ','"),
      ("{1a:1}", 1, 2, "a key that begins with a digit takes quotes"),
      ("{a-b:1}", 1, 3, "expected ':' after the key 'a', not '-'"),
      ("{\u{301}:1}", 1, 2, nil),
      ("{\\u0020:1}", 1, 2, "a key without quotes cannot hold this character"),
      ("{\\x:1}", 1, 2, "a key without quotes takes no escape but '\\u'"),
      ("{a:1,'a':2}", 1, 6, "the key 'a' was given before, at line 1, column 2"),
      ("1 /* 2", 1, 3, "this comment is not closed, expected '*/'"),
      ("1 / 2", 1, 3, "expected the end of the text after the value, not '/'"),
      ("'a\nb'", 1, 3, "the string that begins in column 1 is not closed before the end of the line"),
      ("'\\08'", 1, 2, "octal escapes are not allowed"), ("'\\1'", 1, 2, "octal escapes are not allowed"),
      ("'\\x4'", 1, 2, "expected 2 hexadecimal digits after '\\x'"),
      ("0x", 1, 3, "expected a hexadecimal digit, not the end of the text"),
      ("0x1.5", 1, 4, "expected the end of the number, not '.'"),
      ("+-1", 1, 2, "expected a digit, not '-'"), (".", 1, 2, "expected a digit, not the end of the text"),
      (".e1", 1, 2, "expected a digit, not 'e'"),
      ("010", 1, 1, "a number cannot begin with a zero before other digits"),
      ("Infinityx", 1, 1, "expected a value, not 'Infinityx'; text takes quotes"),
      ("-Infinityx", 1, 10, "expected the end of the number, not 'x'"),
      ("infinity", 1, 1, "expected a value; a number has to be finite"),
      ("{\"kind\": mlp}", 1, 10, "expected a value for 'kind', not 'mlp'; text takes quotes"),
    ] as [(String, Int, Int, String?)])
  func refused(_ text: String, _ line: Int, _ column: Int, _ message: String?) throws {
    let error = try #require(failure(Array(text.utf8), .json5))
    #expect((error.line, error.column) == (line, column))
    if let message { #expect(error.message == message) }
  }

  /// Every line end counts once, in comments, strings and between tokens.
  @Test func lines() throws {
    let text = "/*\n\r\n\r*/{a:'x\\\n\\\r\ny',\r\rb:// c\n ?}"
    let error = try #require(failure(Array(text.utf8), .json5))
    #expect((error.line, error.column) == (9, 2))
  }
}
