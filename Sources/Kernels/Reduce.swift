import CRelaxed

/// Sums over a part of a buffer.
///
/// The ordered forms add in one order that depends on the count alone, and keep at least 16 partial sums so that they
/// are vector code all the same: their result is the same on every machine. The relaxed forms are as fast as the
/// machine allows.
public enum Reduce {
  /// The sum of the elements in `range`, each taken as Double; in one fixed order.
  public static func orderedSum(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Double {
    buffer.check(range)
    return unsafe laneSum(buffer.base + range.lowerBound, count: range.count) { $0 }
  }

  /// The sum of the squares of the elements in `range`, in Double; in one fixed order.
  public static func orderedSumOfSquares(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Double {
    buffer.check(range)
    return unsafe laneSum(buffer.base + range.lowerBound, count: range.count) { $0 * $0 }
  }

  /// The sum of the absolute values of the elements in `range`, in Double; in one fixed order.
  public static func orderedAbsoluteSum(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Double {
    buffer.check(range)
    return unsafe laneSum(buffer.base + range.lowerBound, count: range.count) { values in
      // Without the sign bit; the library's comparison and selection of lanes is much slower.
      let magnitudes = unsafe unsafeBitCast(values, to: SIMD8<UInt64>.self) & (UInt64.max >> 1)
      return unsafe unsafeBitCast(magnitudes, to: SIMD8<Double>.self)
    }
  }

  /// The dot product of the elements in `range` of one buffer with as many from `offset` on of another, in Float; in
  /// one fixed order.
  public static func orderedDot(
    _ first: borrowing FloatBuffer, _ range: Range<Int>, _ second: borrowing FloatBuffer, at offset: Int
  ) -> Float {
    first.check(range)
    second.check(offset: offset, count: range.count)
    return unsafe laneDot(first.base + range.lowerBound, second.base + offset, count: range.count)
  }

  /// The sum of the elements in `range`, in any order.
  public static func sum(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Float {
    let values = buffer.span.extracting(range)
    var sum: Float = 0
    for index in values.indices { sum = apus_relaxed_add(sum, values[index]) }
    return sum
  }

  /// The sum of the squares of the elements in `range`, in any order.
  public static func sumOfSquares(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Float {
    let values = buffer.span.extracting(range)
    var sum: Float = 0
    for index in values.indices { sum = apus_relaxed_add(sum, apus_relaxed_multiply(values[index], values[index])) }
    return sum
  }

  /// The sum of the absolute values of the elements in `range`, in any order.
  public static func absoluteSum(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Float {
    let values = buffer.span.extracting(range)
    var sum: Float = 0
    for index in values.indices { sum = apus_relaxed_add(sum, abs(values[index])) }
    return sum
  }

  /// The dot product of the elements in `range` of one buffer with as many from `offset` on of another, in any order.
  public static func dot(
    _ first: borrowing FloatBuffer, _ range: Range<Int>, _ second: borrowing FloatBuffer, at offset: Int
  ) -> Float {
    let first = first.span.extracting(range)
    let second = second.span.extracting(offset..<offset + range.count)
    var sum: Float = 0
    for index in first.indices { sum = apus_relaxed_add(sum, apus_relaxed_multiply(first[index], second[index])) }
    return sum
  }
}

// MARK: - Fixed lanes

extension Reduce {
  /// Sums `count` transformed elements in 16 lanes of Double: lane l takes elements l, l + 16, ...; the lanes are added
  /// as a binary tree, then what is left over, one by one.
  @inline(__always)
  private static func laneSum(
    _ values: UnsafeMutablePointer<Float>, count: Int, _ transform: (SIMD8<Double>) -> SIMD8<Double>
  ) -> Double {
    var low = SIMD8<Double>()
    var high = SIMD8<Double>()
    var index = 0
    while index + 16 <= count {
      unsafe low += transform(SIMD8<Double>(load(values, index, SIMD8<Float>.self)))
      unsafe high += transform(SIMD8<Double>(load(values, index + 8, SIMD8<Float>.self)))
      index += 16
    }
    let eight = low + high
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    var sum = two[0] + two[1]
    while index < count {
      sum += unsafe transform(SIMD8(repeating: Double(values[index])))[0]
      index += 1
    }
    return sum
  }

  /// The dot product of `count` elements in 16 lanes of Float, added as a binary tree.
  @inline(__always)
  static func laneDot(
    _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, count: Int
  ) -> Float {
    var lanes = SIMD16<Float>()
    var index = 0
    while index + 16 <= count {
      unsafe lanes.addProduct(load(first, index, SIMD16<Float>.self), load(second, index, SIMD16<Float>.self))
      index += 16
    }
    return unsafe fold(lanes, first, second, from: index, count: count)
  }

  /// Four dot products with one vector, the bits of which are those of `laneDot`: four chains hide the latency of the
  /// additions.
  @inline(__always)
  static func laneDots(
    _ matrix: UnsafeMutablePointer<Float>, rowStride: Int, _ vector: UnsafeMutablePointer<Float>, count: Int
  ) -> SIMD4<Float> {
    let (first, second) = unsafe (matrix, matrix + rowStride)
    let (third, fourth) = unsafe (second + rowStride, second + 2 * rowStride)
    var (a, b, c, d) = (SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>())
    var index = 0
    while index + 16 <= count {
      let factors = unsafe load(vector, index, SIMD16<Float>.self)
      unsafe a.addProduct(load(first, index, SIMD16<Float>.self), factors)
      unsafe b.addProduct(load(second, index, SIMD16<Float>.self), factors)
      unsafe c.addProduct(load(third, index, SIMD16<Float>.self), factors)
      unsafe d.addProduct(load(fourth, index, SIMD16<Float>.self), factors)
      index += 16
    }
    return unsafe SIMD4(
      fold(a, first, vector, from: index, count: count), fold(b, second, vector, from: index, count: count),
      fold(c, third, vector, from: index, count: count), fold(d, fourth, vector, from: index, count: count))
  }

  /// Adds the products left over, fewer than 16, to the first lanes, and the lanes as a binary tree.
  @inline(__always)
  private static func fold(
    _ lanes: SIMD16<Float>, _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>,
    from start: Int, count: Int
  ) -> Float {
    var lanes = lanes
    if start < count {
      var (a, b) = (SIMD16<Float>(), SIMD16<Float>())
      for index in start..<count { unsafe (a[index - start], b[index - start]) = (first[index], second[index]) }
      lanes.addProduct(a, b)
    }
    let eight = lanes.lowHalf + lanes.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  @inline(__always)
  private static func load<Lanes>(_ values: UnsafeMutablePointer<Float>, _ index: Int, _: Lanes.Type) -> Lanes {
    unsafe UnsafeRawPointer(values + index).loadUnaligned(as: Lanes.self)
  }
}
