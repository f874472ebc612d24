/// Numbers of 16 bits, the upper half of a `Float`: its exponents, and 8 bits of precision (bfloat16).
///
/// A buffer of floats carries them packed, two to a float, as bits that are no number; of an odd count the last half is zero.
public enum BFloat16 {
  /// The floats that carry `count` packed numbers.
  public static func floats(_ count: Int) -> Int { (count + 1) / 2 }

  /// The number that is nearest to `value`, of two that are as near the even one; infinity beyond the middle between the largest number
  /// and the one that would follow it. NaN stays NaN.
  @inline(__always)
  public static func bits(_ value: Float) -> UInt16 {
    let pattern = value.bitPattern
    let rounded = (pattern &+ 0x7fff &+ (pattern >> 16 & 1)) >> 16
    // What makes a NaN one may be in the lower half alone.
    return UInt16(truncatingIfNeeded: pattern & 0x7fff_ffff > 0x7f80_0000 ? pattern >> 16 | 0x40 : rounded)
  }

  /// The same number as a `Float`.
  @inline(__always)
  public static func value(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// What is left of `value` without what `bits` say; nothing where there is no such number.
  @inline(__always)
  private static func rest(_ value: Float, _ bits: UInt16) -> Float {
    let rest = (value - self.value(bits)).bitPattern
    return Float(bitPattern: bits & 0x7f80 == 0x7f80 ? 0 : rest)
  }

  /// Rounds the elements of `source` in `range`, with those of `residual` there added, to packed numbers in `target` from `place` on, and
  /// leaves in `residual` what rounding has left out.
  public static func pack(
    _ source: borrowing FloatBuffer, _ range: Range<Int>, carrying residual: inout FloatBuffer,
    into target: inout FloatBuffer, at place: Int
  ) {
    source.check(range)
    residual.check(range)
    target.check(offset: place, count: floats(range.count))
    let (values, rests) = unsafe (source.base + range.lowerBound, residual.base + range.lowerBound)
    clearLast(&target, at: place, count: range.count)
    unsafe withNumbers(target.base + place, range.count) { numbers in
      for index in 0..<range.count {
        let value = unsafe values[index] + rests[index]
        let bits = bits(value)
        unsafe numbers[index] = bits
        unsafe rests[index] = rest(value, bits)
      }
    }
  }

  /// Writes `count` numbers that are packed in `source` from `place` on to `target` from `offset` on.
  public static func unpack(
    _ source: borrowing FloatBuffer, at place: Int, count: Int, into target: inout FloatBuffer, at offset: Int
  ) {
    source.check(offset: place, count: floats(count))
    target.check(offset: offset, count: count)
    let values = unsafe target.base + offset
    unsafe withNumbers(source.base + place, count) { numbers in
      for index in 0..<count { unsafe values[index] = value(numbers[index]) }
    }
  }

  /// Adds `count` numbers that are packed in `source` from `place` on to those of `target` from `offset` on.
  public static func add(
    _ source: borrowing FloatBuffer, at place: Int, count: Int, to target: inout FloatBuffer, at offset: Int
  ) {
    source.check(offset: place, count: floats(count))
    target.check(offset: offset, count: count)
    let values = unsafe target.base + offset
    unsafe withNumbers(source.base + place, count) { numbers in
      for index in 0..<count { unsafe values[index] += value(numbers[index]) }
    }
  }

  /// Makes of each element of `values` in `range` that of `base`, from `offset` on, and the rounded difference between the two, which is
  /// packed in `target` from `place` on; `base` then has what was in `values`.
  ///
  /// Whoever adds what was packed to the same base has the same bits (`add`).
  public static func packDifference(
    _ values: inout FloatBuffer, _ range: Range<Int>, from base: inout FloatBuffer, at offset: Int,
    into target: inout FloatBuffer, at place: Int
  ) {
    values.check(range)
    base.check(offset: offset, count: range.count)
    target.check(offset: place, count: floats(range.count))
    let (new, old) = unsafe (values.base + range.lowerBound, base.base + offset)
    clearLast(&target, at: place, count: range.count)
    unsafe withNumbers(target.base + place, range.count) { numbers in
      for index in 0..<range.count {
        let (exact, before) = unsafe (new[index], old[index])
        let bits = bits(exact - before)
        unsafe numbers[index] = bits
        unsafe new[index] = before + value(bits)
        unsafe old[index] = exact
      }
    }
  }

  /// Sets the float that carries the last of an odd count to zero.
  private static func clearLast(_ target: inout FloatBuffer, at place: Int, count: Int) {
    if !count.isMultiple(of: 2) { target[place + count / 2] = 0 }
  }

  /// Gives `body` the halves of the floats at `place`.
  @inline(__always)
  private static func withNumbers(
    _ place: UnsafeMutablePointer<Float>, _ count: Int, _ body: (UnsafeMutablePointer<UInt16>) -> Void
  ) {
    unsafe UnsafeMutableRawPointer(place).withMemoryRebound(to: UInt16.self, capacity: count, body)
  }
}
