import Testing

@testable import Preparation

/// The header and the records of a table as text.
func readAll(_ bytes: [UInt8], delimiter: UInt8? = nil, blockBytes: Int = 1 << 20, largestRecord: Int = 1 << 26)
  throws(PreparationError) -> [[String]]
{
  var reader = try CSVReader(
    .bytes(bytes), path: "t.csv", delimiter: delimiter, blockBytes: blockBytes, largestRecord: largestRecord)
  var rows = [reader.header.map(\.name)]
  while try reader.next() {
    for record in 0..<reader.block.records {
      rows.append((0..<reader.block.columns).map { reader.block.text(reader.block[record, $0]) })
    }
  }
  return rows
}

func readAll(_ text: String, blockBytes: Int = 1 << 20) throws(PreparationError) -> [[String]] {
  try readAll(Array(text.utf8), blockBytes: blockBytes)
}

struct CSVReaderTests {
  @Test(
    arguments: [
      ("a,b\n1,2\n3,4\n", [["a", "b"], ["1", "2"], ["3", "4"]]),
      ("a,b\r\n1,2\r\n3,4", [["a", "b"], ["1", "2"], ["3", "4"]]),
      ("a,b\r1,2\r3,4\r", [["a", "b"], ["1", "2"], ["3", "4"]]),
      ("\u{feff}a;b\n1;2\n", [["a", "b"], ["1", "2"]]),
      ("a\tb c\n1\t2\n", [["a", "b c"], ["1", "2"]]),
      ("a|b\n1|2\n", [["a", "b"], ["1", "2"]]),
      (" a , b\t\n1, 2 \n", [["a", "b"], ["1", " 2 "]]),
      ("a,b\n,\n1,\n,2", [["a", "b"], ["", ""], ["1", ""], ["", "2"]]),
      ("a,b\n1,", [["a", "b"], ["1", ""]]),
      ("a,b\n\n1,2\n\r\n\n3,4\n\n", [["a", "b"], ["1", "2"], ["3", "4"]]),
      ("\n\na\n1\n\n2\n", [["a"], ["1"], ["2"]]),
      ("a\n\"\"\n2\n", [["a"], [""], ["2"]]),
      (#""a","b, c"\#n"1","2""#, [["a", "b, c"], ["1", "2"]]),
      (#"a,b\#n"say ""hi""",""""\#n"""",x\#n"#, [["a", "b"], [#"say "hi""#, "\""], ["\"", "x"]]),
      (
        "a,b\n\"two\nlines\",\"three\r\nmore\r\n\"\n5' 6\",7\n",
        [["a", "b"], ["two\nlines", "three\r\nmore\r\n"], ["5' 6\"", "7"]]
      ),
      ("a;b\n1,5;2\n2,5;3\n", [["a", "b"], ["1,5", "2"], ["2,5", "3"]]),
      ("a,b\n\"x;y;z\",\"\"\"p\"\";q;r\"\n", [["a", "b"], ["x;y;z", "\"p\";q;r"]]),
      ("größe,名前\n1,é\n", [["größe", "名前"], ["1", "é"]]),
      ("a,b", [["a", "b"]]),
    ])
  func readsEveryDialectWhateverTheBlock(text: String, expected: [[String]]) throws {
    #expect(try readAll(text) == expected)
    // The delimiter is detected in the first block, so small blocks are told it.
    let delimiter = expected[0].count == 1 ? UInt8(ascii: ",") : try detectedDelimiter(text)
    for blockBytes in 1...20 {
      #expect(try readAll(Array(text.utf8), delimiter: delimiter, blockBytes: blockBytes) == expected, "\(blockBytes)")
    }
  }

  private func detectedDelimiter(_ text: String) throws -> UInt8 {
    try CSVReader(.bytes(Array(text.utf8)), path: "t.csv").dialect.delimiter
  }

  private func error(_ bytes: [UInt8], blockBytes: Int = 1 << 20) -> PreparationError? {
    do {
      _ = try readAll(bytes, delimiter: UInt8(ascii: ","), blockBytes: blockBytes)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    arguments: [
      ("", 1, 1, "the file is empty"),
      ("\n\r\n\n", 1, 1, "the file is empty"),
      ("a,b\n1,2\n3\n", 3, 2, "this record has 1 field, the header has 2"),
      ("a,b\n1,2\n3,4,5\n", 3, 5, "this record has 3 fields, the header has 2"),
      ("a,b\n\"x\ny\",2\n3,4,\"5\"\n", 4, 5, "this record has 3 fields, the header has 2"),
      ("a,b\n1,2\n3,\"4\n5,6\n", 3, 3, "the quote that opens here is never closed"),
      ("a,b\né,\"", 2, 3, "the quote that opens here is never closed"),
      ("a,b\n1,\"2\"x\n", 2, 6, "text after a closing quote; the quote was opened in line 2, column 3"),
      ("a,b\n1,\"2\n3,\"4\"\n", 3, 4, "text after a closing quote; the quote was opened in line 2, column 3"),
      ("a,b,a\n1,2,3\n", 1, 5, "column 'a' is there twice; the first is in line 1, column 1"),
      ("a,,b\n1,2,3\n", 1, 3, "column 2 has no name"),
      ("a,\" \",b\n1,2,3\n", 1, 3, "column 2 has no name"),
    ])
  func namesThePlaceOfAFault(text: String, line: Int, column: Int, message: String) {
    for blockBytes in [1, 2, 3, 5, 8, 1 << 20] {
      let error = error(Array(text.utf8), blockBytes: blockBytes)
      #expect(error?.kind == .invalid)
      #expect(error?.place == PreparationError.Place(path: "t.csv", line: line, column: column), "\(blockBytes)")
      #expect(error?.message.hasPrefix(message) == true, "\(String(describing: error))")
    }
  }

  @Test func namesThePlaceOfBadUTF8InTheHeader() {
    let error = error(Array("é,b".utf8) + [0xe9, 0x74] + Array("\n1,2\n".utf8))
    #expect(error?.description == "t.csv:1:4: the header is not UTF-8")
  }

  @Test func handsOutTheRecordsBeforeAFault() throws {
    var reader = try CSVReader(.bytes(Array("a,b\n1,2\n3,4\n5\n6,7\n".utf8)), path: "t.csv")
    #expect(try reader.next())
    #expect(reader.block.records == 2)
    do {
      _ = try reader.next()
      Issue.record("no error")
    } catch {
      #expect(error.place?.line == 4)
    }
  }

  @Test(
    arguments: [
      [0xff, 0xfe, 0x61, 0], [0xfe, 0xff, 0, 0x61], [0x1f, 0x8b, 8, 0], Array("PK\u{3}\u{4}".utf8),
      [0x89, 0x48, 0x44, 0x46, 0x0d], Array("PAR1".utf8),
    ] as [[UInt8]])
  func refusesOtherFormats(bytes: [UInt8]) {
    #expect(error(bytes)?.kind == .invalid)
    #expect(
      error(bytes)?.message.hasPrefix("this is a") == true || error(bytes)?.message.hasPrefix("this is UTF-16") == true)
  }

  @Test func boundsTheMemoryThatAnOpenQuoteTakes() {
    let bytes = Array("a,b\n1,2\n3,\"".utf8) + [UInt8](repeating: 0x78, count: 10_000)
    do {
      _ = try readAll(bytes, blockBytes: 64, largestRecord: 1_000)
      Issue.record("no error")
    } catch {
      #expect(error.description == "t.csv:3:3: the quote that opens here is never closed")
    }
    let long = Array("a,b\n1,2\n".utf8) + [UInt8](repeating: 0x78, count: 10_000)
    do {
      _ = try readAll(long, blockBytes: 64, largestRecord: 1_000)
      Issue.record("no error")
    } catch {
      #expect(error.place?.line == 3)
    }
  }

  @Test func neverTrapsAndNeverDependsOnTheBlock() {
    var generator = SplitMix(state: 18)
    let alphabet = Array("aé\u{feff}1,;\"\"\n\r\t|".utf8)
    for _ in 0..<3_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        alphabet.randomElement(using: &generator) ?? 0
      }
      let whole = Result { () throws(PreparationError) in try readAll(bytes, delimiter: UInt8(ascii: ",")) }
      for blockBytes in [1, 3, 7] {
        let pieces = Result { () throws(PreparationError) in
          try readAll(bytes, delimiter: UInt8(ascii: ","), blockBytes: blockBytes)
        }
        #expect(pieces == whole, "\(bytes)")
      }
    }
  }

  @Test func findsAFieldsPlaceBehindLineEndsInQuotes() throws {
    let reader = try CSVReader(.bytes(Array("a,b,c\n\"x\r\ny\rz\n\",\"ö\"\"ö\",w\n".utf8)), path: "t.csv")
    try checkPlaces(reader)
  }

  private func checkPlaces(_ reader: consuming CSVReader) throws {
    #expect(try reader.next())
    let block = reader.block
    for (column, line, character) in [(0, 2, 1), (1, 5, 3), (2, 5, 10)] {
      let place = reader.error(block[0, column], "").place
      #expect(place?.line == line && place?.column == character, "column \(column)")
    }
    #expect(block.text(block[0, 1]) == "ö\"ö")
  }
}
