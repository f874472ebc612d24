import JSON
import Testing

/// Input made to hurt: it has to fail, or pass, within its share of time and memory.
@Suite struct HostileTests {
  private func repeated(_ text: String, _ count: Int) -> [UInt8] {
    Array(String(repeating: text, count: count).utf8)
  }

  @Test func depthIsLimited() {
    #expect(failure(repeated("[", 64) + repeated("]", 64)) == nil)
    #expect(failure(repeated("[", 65) + repeated("]", 65))?.column == 65)
    #expect(failure(repeated("{\"a\":", 1_000_000))?.message == "more than 64 arrays and objects within each other")
    #expect(failure(repeated("[", 512) + repeated("]", 512), depthLimit: 512) == nil)
    // Depth, not the count of containers.
    #expect(failure(Array("[".utf8) + repeated("[],", 1_000) + Array("[]]".utf8)) == nil)
  }

  @Test func valuesAreLimited() throws {
    let bytes = Array("[1,2,[3]]".utf8)
    #expect(try JSONNode(parsing: bytes, valueLimit: 5).asArray?.count == 3)
    #expect(throws: JSONError(line: 1, column: 7, message: "more than 4 values")) {
      try JSONNode(parsing: bytes, valueLimit: 4)
    }
  }

  @Test func longNumbersAreRefused() {
    #expect(failure(repeated("1", 1_001))?.message == "a number of 1001 characters; the limit is 1000")
    #expect(failure(Array("0.".utf8) + repeated("1", 998)) == nil)
    #expect(failure(Array("0x".utf8) + repeated("0", 2_000), .json5) != nil)
    #expect(failure(repeated("a", 100))?.message.utf8.count ?? 0 < 100)
  }

  /// A table of keys that only looks at each once: 20,000 keys in an object, then one of them again.
  @Test func manyKeys() throws {
    let members = (0..<20_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    let node = try JSONNode(parsing: Array("{\(members)}".utf8))
    #expect(node.asObject?.count == 20_000)
    #expect(node["k19999"]?.asInt == 19_999)
    for again in [0, 7, 8, 9, 19_999] {
      let error = try #require(failure(Array("{\(members),\"k\(again)\":0}".utf8)))
      #expect(error.message.hasPrefix("the key 'k\(again)' was given before"))
    }
  }

  /// Keys differ if their scalars do, even where Unicode calls them equivalent.
  @Test func canonicalEquivalentsAreTwoKeys() throws {
    let node = try JSONNode(parsing: Array("{\"\u{e9}\":1,\"e\u{301}\":2}".utf8))
    #expect(node["\u{e9}"]?.asInt == 1)
    #expect(node["e\u{301}"]?.asInt == 2)
  }

  @Test func longKeysAreCutInMessages() throws {
    let key = String(repeating: "k", count: 100_000)
    let error = try #require(failure(Array("{\"\(key)\" 1}".utf8)))
    #expect(error.message.utf8.count < 120)
  }

  /// Every prefix of a text fails or is a number; every text with one byte changed parses or fails, but never traps.
  @Test(arguments: [JSONDialect.json, .json5])
  func brokenTexts(_ dialect: JSONDialect) {
    let text = Array(
      #"{"a":[1,-2.5e-3,true,null,"x\u00e4\ud83d\ude00\n"],"b":{"c":"ä€😀","d":[]},"e":0.1}"#.utf8)
    for length in 0..<text.count { #expect(failure(Array(text[..<length]), dialect) != nil) }
    // Every byte with a meaning of its own, and some without.
    let bytes =
      Array("{}[],:\"'\\/*+-.0x19eEtfnuIN_$ \t\r\n".utf8) + [0, 0x0B, 0x7F, 0x80, 0xC2, 0xE2, 0xED, 0xF4, 0xFF]
    for index in text.indices {
      for byte in bytes {
        var changed = text
        changed[index] = byte
        guard let node = try? JSONNode(parsing: changed, dialect: dialect) else { continue }
        // What was accepted and is finite survives being written and read.
        let again = try? JSONNode(parsing: Array(node.value.serialized().utf8))
        #expect(again != nil)
      }
    }
  }

  /// Tokens in any order: the parser comes to an end, and agrees with itself on what it accepts.
  @Test func tokenSoup() {
    let tokens = [
      "{", "}", "[", "]", ",", ":", "\"a\"", "'b'", "c", "1", "-", "+", ".5", "0x", "1e5", "true", "NaN", "/", "//",
      "/*",
      "*/", "*", "\n", " ", "\\", "\\u00e4", "\u{2028}", "ä", "\"",
    ]
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<3_000 {
      var text = ""
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        text += tokens[Int.random(in: 0..<tokens.count, using: &generator)]
      }
      if let value = try? parse(text) {
        #expect((try? parse(text, .json5)) == value, "\(text)")
        #expect((try? parse(value.serialized())) == value, "\(text)")
      }
    }
  }
}
