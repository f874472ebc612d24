import Files
import Testing

@Suite struct ChecksumTests {
  /// The plain definition, bit by bit.
  private func slow(_ bytes: [UInt8]) -> UInt64 {
    var crc = UInt64.max
    for byte in bytes {
      crc ^= UInt64(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xC96C_5795_D787_0F42 : crc >> 1 }
    }
    return ~crc
  }

  @Test func publishedValue() {
    #expect(Checksum(of: Array("123456789".utf8)).value == 0x995D_C9BB_DF19_39FA)
    #expect(Checksum(of: Array("123456789".utf8)).hex == "995dc9bbdf1939fa")
    #expect(Checksum().value == 0)
    #expect(Checksum().hex == "0000000000000000")
  }

  @Test func everyLengthAndEverySplit() {
    let bytes = (0..<1100).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 256 + 11) }
    // From 256 bytes on all but the end is folded first, 64 or 256 bytes at a time.
    for length in Array(0...100) + Array(250...450) + Array(1020...bytes.count) {
      let part = Array(bytes[..<length])
      #expect(Checksum(of: part).value == slow(part))
      var split = Checksum()
      split.update(Array(bytes[..<(length / 3)]))
      split.update(Array(bytes[(length / 3)..<length]))
      #expect(split == Checksum(of: part))
    }
  }

  @Test func floatsAreTheirBytes() {
    let floats: [Float] = [1, -2.5, .infinity, 0]
    var checksum = Checksum()
    checksum.update(floats.span)
    let bytes = floats.flatMap { float in (0..<4).map { UInt8(truncatingIfNeeded: float.bitPattern >> (8 * $0)) } }
    #expect(checksum == Checksum(of: bytes))
  }

  /// The same checksum as without a copy, the same floats, and every one that is not finite noticed.
  @Test(arguments: [0, 1, 63, 64, 65, 130, 5000]) func copies(_ count: Int) {
    let floats = (0..<count).map { Float($0) * 0.37 - 9 }
    for offset in [0, 24] {
      var plain = Checksum.Part()
      plain.update(floats.span, at: offset)
      func copied(_ floats: [Float]) -> (isFinite: Bool, part: Checksum.Part, copy: [Float]) {
        var part = Checksum.Part()
        var copy = [Float](repeating: -1, count: count + 3)
        var target = copy.mutableSpan
        let isFinite = part.update(copying: floats.span, to: &target, at: offset)
        return (isFinite, part, copy)
      }
      let found = copied(floats)
      #expect(found.isFinite && found.part == plain && found.copy == floats + [-1, -1, -1])
      for index in [0, count / 2, count - 1] where count > 0 {
        for bad in [Float.nan, .infinity, -.infinity] {
          var floats = floats
          floats[index] = bad
          let found = copied(floats)
          #expect(!found.isFinite && found.copy[index].bitPattern == bad.bitPattern)
        }
      }
    }
  }

  @Test func everyFlippedBitIsFound() {
    let bytes = (0..<64).map { UInt8($0) }
    let value = Checksum(of: bytes).value
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(Checksum(of: flipped).value != value)
    }
  }

  /// However the bytes are dealt to parts, the parts together have the checksum of all of them.
  @Test(arguments: [(1, 1), (2, 1), (3, 8), (5, 64), (4, 1000)])
  func partsTogetherAreTheWhole(parts: Int, run: Int) {
    let bytes = (0..<1237).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 256) }
    var found = [Checksum.Part](repeating: Checksum.Part(), count: parts)
    // Run after run, the first bytes left out of turn, so that runs are not alike.
    found[parts - 1].update(Array(bytes[..<5]), at: 0)
    for (index, start) in stride(from: 5, to: bytes.count, by: run).enumerated() {
      found[index % parts].update(Array(bytes[start..<min(start + run, bytes.count)]), at: start)
    }
    #expect(found.reduce(0) { $0 + $1.count } == bytes.count)
    let contributions = found.map { $0.contribution(length: bytes.count) }
    #expect(Checksum(combining: contributions, length: bytes.count) == Checksum(of: bytes))
    #expect(Checksum(combining: contributions.reversed(), length: bytes.count) == Checksum(of: bytes))
    // A part that is missing, or that comes twice, is noticed.
    #expect(Checksum(combining: Array(contributions.dropLast()), length: bytes.count) != Checksum(of: bytes))
    #expect(Checksum(combining: contributions + contributions.prefix(1), length: bytes.count) != Checksum(of: bytes))
  }

  /// Files far longer than the memory cost no time.
  @Test func longGaps() {
    var part = Checksum.Part()
    part.update([1], at: 0)
    let short = part.contribution(length: 1 << 20)
    var zeros = Checksum(of: [1])
    zeros.update([UInt8](repeating: 0, count: (1 << 20) - 1))
    #expect(Checksum(combining: [short], length: 1 << 20) == zeros)
    #expect(part.contribution(length: 1 << 62) != short)
    #expect(Checksum(combining: [], length: 0) == Checksum())
    let floats: [Float] = [1, -2]
    var one = Checksum.Part()
    one.update(floats.span, at: 0)
    let bytes: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 192]
    #expect(Checksum(combining: [one.contribution(length: 8)], length: 8) == Checksum(of: bytes))
  }

  @Test(arguments: [0, 1, 7, 64, 100]) func partsBehindEachOther(cut: Int) {
    let bytes = (0..<100).map { UInt8($0 * 7 % 251) }
    let rest = Array(bytes[cut...])
    #expect(
      Checksum(of: Array(bytes[..<cut])).followed(by: Checksum(of: rest), count: rest.count) == Checksum(of: bytes))
  }
}
