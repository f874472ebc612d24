import Foundation
import Testing

@testable import Kernels

@Suite struct NumberFieldsTests {
  /// Fields of all kinds; the first of the two says which of them are plain numbers.
  private static func field(_ random: inout RandomStream) -> (isPlain: Bool, text: String) {
    func digits(_ count: Int) -> String { (0..<count).map { _ in "\(random.below(10))" }.joined() }
    let sign = random.below(2) == 0 ? "-" : ""
    switch random.below(12) {
    case 0: return (false, "")
    case 1:
      return (
        false, ["x", "a.b.c", "1.5.", "\"3\"", "-", "+1", "1e5", "1.5e-3", " 2", "2 ", ".5", "-.5"][random.below(12)]
      )
    case 2: return (false, sign + digits(9 + random.below(12)))
    case 3: return (false, sign + digits(1) + "." + digits(9 + random.below(12)))
    case 4: return (true, sign + digits(1 + random.below(7)))
    case 5: return (true, sign + digits(1 + random.below(7)) + ".")
    case 6: return (true, sign + "0." + digits(8))
    default: return (true, sign + digits(1 + random.below(7)) + "." + digits(1 + random.below(8)))
    }
  }

  /// A text of many pieces, from every place that a field starts at: places, lines and numbers are those of the fields.
  @Test(arguments: [(0, ","), (1, ";"), (2, "\t")]) func findsFieldsAndTheirNumbers(seed: UInt64, delimiter: String)
    throws
  {
    var random = RandomStream(seed: seed, stream: 0x6e66)
    var text: [UInt8] = []
    var fields: [(isPlain: Bool, text: String, end: Int, isLine: Bool)] = []
    let isWithoutPoints = seed == 2
    for _ in 0..<9_000 {
      var (isPlain, content) = Self.field(&random)
      if isWithoutPoints, random.below(3) > 0 { (isPlain, content) = (true, "\(random.below(1_000))") }
      let mark = random.below(9) > 0 ? delimiter : random.below(2) > 0 ? "\n" : "\r"
      text += Array(content.utf8)
      fields.append((isPlain, content, text.count, mark != delimiter))
      text += Array(mark.utf8)
    }
    text += Array("12.5".utf8)
    var read = NumberFields(delimiter: Array(delimiter.utf8)[0], point: UInt8(ascii: "."))
    var next = 0
    var start = 0
    var hardPlain = 0
    while next < fields.count {
      read.find(in: text.span, from: start)
      #expect(read.piece == start..<min(start + NumberFields.pieceBytes, text.count))
      try #require(read.count > 0)
      var (line, hard) = (0, 0)
      for index in 0..<read.count {
        let field = fields[next + index]
        try #require(Int(read.ends[index]) == field.end)
        try #require(read.start(of: index) == field.end - field.text.utf8.count)
        if field.isLine {
          try #require(Int(read.lines[line]) == field.end)
          line += 1
        }
        if hard < read.hard.count, Int(read.hard[hard]) == index {
          hard += 1
          if field.isPlain, field.end >= 16 { hardPlain += 1 }
          continue
        }
        try #require(field.isPlain, "'\(field.text)'")
        let magnitude = Double(read.mantissas[index]) / 1e8
        if read.mantissas[index] < 1 << 53 {
          try #require(magnitude == strtod(field.text, nil).magnitude, "'\(field.text)'")
        }
        try #require(read.values[index].bitPattern == strtof(field.text, nil).bitPattern, "'\(field.text)'")
      }
      #expect(line == read.lines.count)
      #expect(hard == read.hard.count)
      next += read.count
      start = Int(read.ends[read.count - 1]) + 1
    }
    // Those near the middle between two floats alone.
    #expect(hardPlain < 20)
  }

  @Test func aNumberBetweenTwoFloatsIsLeftToTheCaller() {
    // The first eight bytes are read by the caller too.
    let texts = ["0", "0", "0", "0", "16777217", "16777217.0", "1.00000006", "33554434.1", "-0", "0.0", "16777216"]
    let text = Array((texts.joined(separator: ",") + "\n").utf8)
    var read = NumberFields(delimiter: UInt8(ascii: ","), point: UInt8(ascii: "."))
    read.find(in: text.span, from: 0)
    #expect(read.count == texts.count)
    let hard = (0..<read.hard.count).map { Int(read.hard[$0]) }
    #expect(hard == [0, 1, 2, 3, 4, 5])
    for index in 6..<texts.count { #expect(read.values[index].bitPattern == strtof(texts[index], nil).bitPattern) }
  }

  @Test func aTextWithoutFieldsHasNone() {
    var read = NumberFields(delimiter: UInt8(ascii: ","), point: UInt8(ascii: "."))
    let text = Array("1.5".utf8)
    read.find(in: text.span, from: 0)
    #expect(read.count == 0 && read.lines.count == 0 && read.hard.count == 0)
    read.find(in: text.span, from: 3)
    #expect(read.count == 0 && read.piece == 3..<3)
    read.find(in: [UInt8]().span, from: 0)
    #expect(read.count == 0)
  }
}
