extension Elementwise {
  /// Writes the sums of `count` elements from `first` on and as many from `second` on to `offset` and what follows, all in one buffer.
  ///
  /// The sums may take the place of either operand; otherwise the three do not overlap.
  public static func sum(within buffer: inout FloatBuffer, _ first: Int, _ second: Int, count: Int, to offset: Int) {
    if offset == second, offset != first { return sum(within: &buffer, second, first, count: count, to: offset) }
    buffer.check(offset: first, count: count)
    buffer.check(offset: second, count: count)
    buffer.check(offset: offset, count: count)
    let (one, other, to) = unsafe (buffer.base + first, buffer.base + second, buffer.base + offset)
    // In place is a loop of its own: the compiler takes vectors only where it knows, or sees at the start, what overlaps.
    if offset == first {
      for index in 0..<count { unsafe to[index] += other[index] }
    } else {
      for index in 0..<count { unsafe to[index] = one[index] + other[index] }
    }
  }
}
