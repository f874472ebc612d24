import TestSupport
import Testing

@testable import Preparation

/// A table whose text comes in pieces gives the rows that it gives as a whole, and passes over those that are malformed.
@Suite struct CSVFeedTests {
  private static let text = """
    t,a,class,"b, c"
    1,1.5,red,2
    2,"-4",green,1e3

    3,,red,.5
    4,1,2
    5,"one",red,2
    6,1,blue,2
    7,1,red,"2"x
    x,1,red,2
    8,9,"green",10
    """

  private struct Read: Equatable {
    var rows: [CSVFeed.Row] = []
    var values: [[Float]] = []
    var targets: [Float] = []
    var times: [Double] = []
    /// Where the text is given again to go on behind each row.
    var offsets: [Int] = []
  }

  private func feed(_ columns: [String] = []) -> CSVFeed {
    CSVFeed(name: "t.csv", columns: columns, target: "class", classes: ["green", "red"], time: "t")
  }

  private func read(_ feed: inout CSVFeed, _ bytes: [UInt8], pieces: Int) throws -> Read {
    var read = Read()
    var given = 0
    var isFinished = false
    while true {
      var values: [Float] = [0, 0]
      var (target, time) = (Float(0), 0.0)
      var span = values.mutableSpan
      let row = try feed.next(into: &span, at: 0, target: &target, time: &time)
      guard row == .none else {
        read.rows.append(row)
        read.offsets.append(feed.offset)
        if row == .row {
          read.values.append(values)
          read.targets.append(target)
          read.times.append(time)
        }
        continue
      }
      if isFinished { return read }
      if given == bytes.count {
        feed.finish()
        isFinished = true
      } else {
        let end = min(given + pieces, bytes.count)
        feed.append(Array(bytes[given..<end]))
        given = end
      }
    }
  }

  @Test(arguments: [1, 2, 5, 30, 10_000], ["\n", "\r\n"]) func piecesAreTheWhole(pieces: Int, lineEnd: String) throws {
    var feed = feed()
    let bytes = Array(Self.text.replacing("\n", with: lineEnd).utf8)
    let read = try read(&feed, bytes, pieces: pieces)
    #expect(feed.columns == ["a", "b, c"])
    #expect(read.rows.map { $0 == .row } == [true, true, true, false, false, false, false, false, true])
    #expect(read.rows[5] == .unknownClass("blue"))
    #expect(read.values.count == 4 && read.values[0] == [1.5, 2] && read.values[1] == [-4, 1000])
    #expect(read.values[2][0].isNaN && read.values[2][1] == 0.5 && read.values[3] == [9, 10])
    #expect(read.targets == [1, 0, 1, 0] && read.times == [1, 2, 3, 8])
    #expect(read.offsets.last == bytes.count)
  }

  /// A class that is not known has the name by which it will be: of numbers the one way to write them, and none of what is missing.
  @Test func namesOfUnknownClasses() throws {
    let texts = [
      "3.0": "3", " blue ": "blue", "\"a \"\"b\"\"\"": "a \"b\"", "-1": "-1", "2.50": "2.5", "1e400": nil, "": nil,
      "NA": nil,
      String(repeating: "x", count: 257): nil,
    ]
    for (text, name) in texts {
      var feed = feed()
      let read = try read(&feed, Array("t,a,class,b\n1,2,\(text),3\n".utf8), pieces: 1000)
      if let name {
        #expect(read.rows == [.unknownClass(name)], "\(text)")
      } else {
        #expect(read.rows.count == 1 && read.rows[0] != .row, "\(text)")
        if case .unknownClass = read.rows[0] { Issue.record("\(read.rows)") }
      }
    }
    var feed = feed()
    feed.know(classes: ["green", "red", "blue"])
    #expect(try read(&feed, Array(Self.text.utf8), pieces: 30).rows[5] == .row)
  }

  /// Behind any row the text can be given again from its offset on.
  @Test func goesOnAtAnOffset() throws {
    let bytes = Array(Self.text.utf8)
    var whole = feed()
    let all = try read(&whole, bytes, pieces: 10_000)
    for (index, offset) in all.offsets.enumerated() {
      var part = feed()
      let header = try #require(bytes.firstIndex(of: UInt8(ascii: "\n"))) + 1
      part.append(Array(bytes[..<header]))
      #expect(try part.open())
      part.move(to: offset)
      let rest = try read(&part, Array(bytes[offset...]), pieces: 7)
      #expect(rest.rows == Array(all.rows[(index + 1)...]) && rest.offsets == Array(all.offsets[(index + 1)...]))
    }
  }

  /// Texts with changed, lost and doubled bytes: no trap, and the same rows in pieces as in one.
  @Test func damagedTexts() throws {
    var random = SeededGenerator(seed: 7)
    let sound = Array(Self.text.utf8)
    let header = try #require(sound.firstIndex(of: UInt8(ascii: "\n"))) + 1
    let marks = Array("\",\n\r1.-eE+x\0\u{e9}".utf8)
    for _ in 0..<2000 {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: header..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = marks.randomElement(using: &random) ?? 0
        case 1: bytes.remove(at: place)
        default: bytes.insert(marks.randomElement(using: &random) ?? 0, at: place)
        }
      }
      var (one, other) = (feed(), feed())
      let whole = try read(&one, bytes, pieces: bytes.count)
      let parts = try read(&other, bytes, pieces: Int.random(in: 1...40, using: &random))
      // Where a row is followed by blank lines, the next one may be looked for before or behind them.
      #expect(whole.rows == parts.rows && whole.targets == parts.targets)
      if whole.rows != parts.rows { break }
    }
  }

  @Test func columnsThatAreNotThere() throws {
    var feed = feed(["a", "missing"])
    feed.append(Array(Self.text.utf8))
    #expect(throws: PreparationError.self) { try feed.open() }
  }
}
