import Testing

@testable import Kernels

@Suite struct BFloat16Tests {
  private func rounded(_ value: Float) -> Float { BFloat16.value(BFloat16.bits(value)) }

  /// The nearest of the two neighbours, of two that are as near the even one: on every 1999th of all floats, and all around each border.
  @Test func roundsToTheNearestAndThenToTheEven() {
    var patterns = Array(stride(from: UInt32(0), through: 0x7f7f_0000, by: 1999))
    for upper in stride(from: UInt32(0), through: 0x7f7e, by: 37) {
      patterns += [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff].map { upper << 16 | $0 }
    }
    for pattern in patterns {
      let value = Float(bitPattern: pattern)
      let below = UInt16(truncatingIfNeeded: pattern >> 16)
      let under = Double(BFloat16.value(below))
      let over = Double(BFloat16.value(below + 1))
      let (down, up) = (Double(value) - under, over - Double(value))
      let expected = down < up || (down == up && below.isMultiple(of: 2)) ? below : below + 1
      #expect(BFloat16.bits(value) == expected, "\(value)")
      #expect(BFloat16.bits(-value) == expected | 0x8000, "\(-value)")
    }
  }

  /// What is no finite number stays so, and what is beyond the largest becomes infinite.
  @Test func edges() {
    #expect(rounded(.infinity) == .infinity && rounded(-.infinity) == -.infinity)
    for bits: UInt32 in [0x7f80_0001, 0x7f80_ffff, 0x7fc0_0000, 0x7fff_ffff, 0xff80_0001, 0xffff_ffff] {
      #expect(rounded(Float(bitPattern: bits)).isNaN, "\(bits)")
      #expect(rounded(Float(bitPattern: bits)).sign == Float(bitPattern: bits).sign)
    }
    #expect(BFloat16.bits(0) == 0 && BFloat16.bits(-0.0) == 0x8000)
    #expect(rounded(Float(bitPattern: 0x7f7f_7fff)) == Float(bitPattern: 0x7f7f_0000))
    #expect(rounded(Float(bitPattern: 0x7f7f_8000)) == .infinity && rounded(.greatestFiniteMagnitude) == .infinity)
    #expect(rounded(-.greatestFiniteMagnitude) == -.infinity)
    #expect(rounded(.leastNonzeroMagnitude) == 0)
    #expect(rounded(Float(bitPattern: 0x8001)) == Float(bitPattern: 0x1_0000))
    for bits in UInt16.min...UInt16.max where !BFloat16.value(bits).isNaN {
      #expect(BFloat16.bits(BFloat16.value(bits)) == bits)
    }
  }

  @Test(arguments: [0, 1, 2, 5, 31, 64, 257]) func packingKeepsWhatRoundingLeavesOut(count: Int) {
    let values = (0..<count).map { Float($0) * 0.3712 - 7 }
    let source = FloatBuffer([9, 9] + values)
    var residual = FloatBuffer([1, 2] + values.map { $0 / 300 })
    var packed = FloatBuffer([Float](repeating: 5, count: BFloat16.floats(count) + 3))
    BFloat16.pack(source, 2..<2 + count, carrying: &residual, into: &packed, at: 1)
    var found = FloatBuffer([Float](repeating: 7, count: count + 4))
    BFloat16.unpack(packed, at: 1, count: count, into: &found, at: 3)
    for index in 0..<count {
      let sum = values[index] + values[index] / 300
      #expect(found[3 + index] == rounded(sum))
      #expect(residual[2 + index] == sum - rounded(sum))
    }
    #expect(residual.values(in: 0..<2) == [1, 2] && packed[0] == 5)
    #expect(packed.values().suffix(2) == [5, 5] && found.values(in: 0..<3) == [7, 7, 7] && found[3 + count] == 7)
    BFloat16.add(packed, at: 1, count: count, to: &found, at: 3)
    for index in 0..<count { #expect(found[3 + index] == 2 * rounded(values[index] + values[index] / 300)) }
  }

  /// An infinite or undefined number, or one that becomes infinite, leaves nothing to the next message.
  @Test func nothingIsLeftOfWhatIsNotFinite() {
    let source = FloatBuffer([.infinity, -.infinity, .nan, .greatestFiniteMagnitude, 1])
    var residual = FloatBuffer([1, 1, 1, 1, 0])
    var packed = FloatBuffer(count: 3)
    BFloat16.pack(source, 0..<5, carrying: &residual, into: &packed, at: 0)
    var found = FloatBuffer(count: 5)
    BFloat16.unpack(packed, at: 0, count: 5, into: &found, at: 0)
    #expect(found[0] == .infinity && found[1] == -.infinity && found[2].isNaN && found[3] == .infinity && found[4] == 1)
    #expect(residual.values() == [0, 0, 0, 0, 0])
  }

  /// What many messages say together is what they were made of, to one rounding.
  @Test func theSumOfMessagesIsThatOfTheNumbers() {
    let value: Float = 1.0037
    let source = FloatBuffer([value])
    var residual = FloatBuffer(count: 1)
    var packed = FloatBuffer(count: 1)
    var sum = FloatBuffer(count: 1)
    for _ in 0..<1000 {
      BFloat16.pack(source, 0..<1, carrying: &residual, into: &packed, at: 0)
      BFloat16.add(packed, at: 0, count: 1, to: &sum, at: 0)
    }
    #expect(abs(sum[0] - 1000 * value) <= 0.004)
    #expect(abs(1000 * rounded(value) - 1000 * value) > 3)
  }

  @Test func differencesAreTheSameForAll() {
    let (old, new) = ((0..<9).map { Float($0) * 1.7 - 3 }, (0..<9).map { Float($0) * 1.70113 - 3.01 })
    var parameters = FloatBuffer([0] + new)
    var base = FloatBuffer(old)
    var packed = FloatBuffer(count: 5)
    BFloat16.packDifference(&parameters, 1..<10, from: &base, at: 0, into: &packed, at: 0)
    var other = FloatBuffer(old)
    BFloat16.add(packed, at: 0, count: 9, to: &other, at: 0)
    #expect(parameters.values(in: 1..<10) == other.values())
    #expect(base.values() == new)
    for index in 0..<9 { #expect(other[index] == old[index] + rounded(new[index] - old[index])) }
  }
}
