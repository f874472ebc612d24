/// Passes over the elements of buffers. All are vector code in a release build.
public enum Elementwise {
  /// Multiplies the elements in `range` by `factor`.
  public static func scale(_ buffer: inout FloatBuffer, _ range: Range<Int>, by factor: Float) {
    buffer.check(range)
    let values = unsafe buffer.base + range.lowerBound
    for index in 0..<range.count { unsafe values[index] *= factor }
  }

  /// Adds the elements of `source` in `range` to those of `destination` from `offset` on.
  public static func add(
    _ source: borrowing FloatBuffer, _ range: Range<Int>, to destination: inout FloatBuffer, at offset: Int
  ) {
    source.check(range)
    destination.check(offset: offset, count: range.count)
    let (from, to) = unsafe (source.base + range.lowerBound, destination.base + offset)
    for index in 0..<range.count { unsafe to[index] += from[index] }
  }

  /// Adds the elements of `buffer` in `range` to those from `offset` on, which lie elsewhere in the same buffer.
  public static func add(within buffer: inout FloatBuffer, _ range: Range<Int>, to offset: Int) {
    buffer.check(range)
    buffer.check(offset: offset, count: range.count)
    precondition(
      offset + range.count <= range.lowerBound || range.upperBound <= offset,
      "elements \(range) are added to themselves at \(offset)")
    let (from, to) = unsafe (buffer.base + range.lowerBound, buffer.base + offset)
    for index in 0..<range.count { unsafe to[index] += from[index] }
  }

  /// Adds `factor` times the elements of `source` in `range` to those of `destination` from `offset` on.
  public static func add(
    _ source: borrowing FloatBuffer, _ range: Range<Int>, times factor: Float, to destination: inout FloatBuffer,
    at offset: Int
  ) {
    source.check(range)
    destination.check(offset: offset, count: range.count)
    let (from, to) = unsafe (source.base + range.lowerBound, destination.base + offset)
    for index in 0..<range.count { unsafe to[index] = to[index].addingProduct(factor, from[index]) }
  }

  /// Replaces x by `x * scales[column] + shifts[column]`; the columns' numbers start at the offsets.
  public static func affine(
    _ buffer: inout FloatBuffer, _ view: MatrixView, scales: borrowing FloatBuffer, at scalesOffset: Int = 0,
    shifts: borrowing FloatBuffer, at shiftsOffset: Int = 0
  ) {
    view.check(within: buffer.count)
    scales.check(offset: scalesOffset, count: view.columns)
    shifts.check(offset: shiftsOffset, count: view.columns)
    let factors = unsafe scales.base + scalesOffset
    let terms = unsafe shifts.base + shiftsOffset
    for row in 0..<view.rows {
      let line = unsafe buffer.base + view.offset + row * view.rowStride
      for column in 0..<view.columns { unsafe line[column] = line[column] * factors[column] + terms[column] }
    }
  }

  /// Writes the sum of each column of `view` to `sums` from `offset` on, or adds it there where `accumulate` is set.
  ///
  /// The order of the sum depends on the shape alone: row after row, or the lanes of `Reduce` for a single column.
  public static func columnSums(
    _ matrix: borrowing FloatBuffer, _ view: MatrixView, into sums: inout FloatBuffer, at offset: Int, accumulate: Bool
  ) {
    view.check(within: matrix.count)
    sums.check(offset: offset, count: view.columns)
    let result = unsafe sums.base + offset
    if view.columns == 1 && view.isContiguous {
      let sum = Float(Reduce.orderedSum(matrix, view.offset..<view.offset + view.rows))
      unsafe result[0] = accumulate ? result[0] + sum : sum
      return
    }
    if !accumulate { unsafe result.update(repeating: 0, count: view.columns) }
    for row in 0..<view.rows {
      let line = unsafe matrix.base + view.offset + row * view.rowStride
      for column in 0..<view.columns { unsafe result[column] += line[column] }
    }
  }

  /// Whether every element in `range` is a finite number.
  public static func isFinite(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Bool {
    let values = buffer.span.extracting(range)
    // All exponent bits are set in what is not finite, and then no pattern of them is larger.
    var largest: UInt32 = 0
    for index in values.indices { largest = max(largest, values[index].bitPattern & 0x7F80_0000) }
    return largest != 0x7F80_0000
  }

  /// Whether all elements in `range` are whole numbers from 0 to `limit`, which is at most 2²².
  public static func areWhole(_ buffer: borrowing FloatBuffer, _ range: Range<Int>, upTo limit: Float) -> Bool {
    precondition(limit >= 0 && limit <= 0x1p22, "whole numbers up to \(limit)")
    let values = buffer.span.extracting(range)
    var odd: UInt32 = 0
    for index in values.indices {
      let value = values[index]
      // 2²³ leaves no room for a fraction. Three answers, for a question that stops at the first is no vector code.
      let isNegative: UInt32 = value >= 0 ? 0 : 1
      let isLarge: UInt32 = value <= limit ? 0 : 1
      let isBroken: UInt32 = (value + 0x1p23) - 0x1p23 == value ? 0 : 1
      odd |= isNegative | isLarge | isBroken
    }
    return odd == 0
  }

  /// The index in the buffer of the first element in `range` that is infinite or not a number; `nil` where there is
  /// none.
  public static func firstNonFinite(_ buffer: borrowing FloatBuffer, _ range: Range<Int>) -> Int? {
    // Whole blocks first, since nearly always there is none.
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + 4096, range.upperBound)
      if !isFinite(buffer, start..<end) {
        let values = buffer.span
        return (start..<end).first { !values[$0].isFinite }
      }
      start = end
    }
    return nil
  }
}
