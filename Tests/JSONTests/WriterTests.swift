import Foundation
import JSON
import Testing

@Suite struct WriterTests {
  @Test func compact() {
    let value: JSONValue = ["b": [1, 2.5, .null, true], "a": "x", "empty": [:], "none": []]
    #expect(value.serialized() == #"{"b":[1,2.5,null,true],"a":"x","empty":{},"none":[]}"#)
  }

  @Test func pretty() {
    let value: JSONValue = .object([("rows", 3), ("means", [1.5, 2]), ("files", [["name": "a"], []]), ("none", [:])])
    #expect(
      value.serialized(pretty: true) == """
        {
          "rows": 3,
          "means": [1.5, 2],
          "files": [
            {
              "name": "a"
            },
            []
          ],
          "none": {}
        }

        """)
  }

  @Test func escapes() {
    let value: JSONValue = "\"\\/\u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}ä😀\u{2028}"
    #expect(value.serialized() == #""\"\\/\b\t\n\f\r\u0000\u001f"# + "\u{7f}ä😀\u{2028}\"")
  }

  @Test func numbers() {
    let nonFinite: JSONValue = [.number(.nan), .number(.infinity), .number(-.infinity)]
    #expect(nonFinite.serialized() == "[null,null,null]")
    let doubles: JSONValue = [0.1, 1e-7, 1e22, .number(.leastNonzeroMagnitude), .number(-0.0)]
    #expect(doubles.serialized() == "[0.1,1e-07,1e+22,5e-324,-0.0]")
    #expect(JSONValue.array([.integer(.max), .integer(.min)]).serialized() == "[\(Int.max),\(Int.min)]")
  }

  /// Any finite double reads back bit for bit, and so does any string.
  @Test func roundTrips() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2_000 {
      let number = Double(bitPattern: generator.next())
      guard number.isFinite else { continue }
      let text = JSONValue.number(number).serialized()
      #expect(try parse(text).asDouble?.bitPattern == number.bitPattern)
    }
    let scalars = (0..<0x3000).compactMap { Unicode.Scalar($0 as UInt32) }
    var string = ""
    string.unicodeScalars.append(contentsOf: scalars)
    let again = try #require(try parse(JSONValue.string(string).serialized()).asString)
    #expect(again.utf8.elementsEqual(string.utf8))
  }

  /// Another reader understands what this writer writes.
  @Test func foundationReadsIt() throws {
    let value: JSONValue = ["a": [1, -2.5e-10, "\u{1}ä😀\"", .null, false], "b": ["c": [:]]]
    for pretty in [false, true] {
      let object = try JSONSerialization.jsonObject(with: Data(value.serialized(pretty: pretty).utf8))
      let dictionary = try #require(object as? [String: Any])
      let elements = try #require(dictionary["a"] as? [Any])
      #expect(elements[1] as? Double == -2.5e-10)
      #expect(elements[2] as? String == "\u{1}ä😀\"")
    }
  }
}
