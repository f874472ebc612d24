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
    let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
    for length in 0...bytes.count {
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

  @Test func everyFlippedBitIsFound() {
    let bytes = (0..<64).map { UInt8($0) }
    let value = Checksum(of: bytes).value
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(Checksum(of: flipped).value != value)
    }
  }
}
