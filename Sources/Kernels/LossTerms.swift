import Glibc

/// Losses with their derivatives, one pass each: the terms of the loss and the gradient with respect to the scores.
///
/// Shapes: `scores` and `slopes` rows × outputs, contiguous from index 0; `targets` from `offset` on; `terms` one
/// number for each element (value and binary losses) or for each row (softmax), from index 0. `factor` multiplies
/// slopes, not terms.
public enum LossTerms {
  /// (z - y)² for `count` elements; y is any number.
  public static func squared(
    _ scores: borrowing FloatBuffer, count: Int, targets: borrowing FloatBuffer, at offset: Int, factor: Float,
    terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    elements(scores, count, targets, offset, factor, &terms, &slopes) { squaredTerm($0, $1) }
  }

  /// Huber's loss with delta 1 for `count` elements: half the square up to 1, then linear.
  public static func huber(
    _ scores: borrowing FloatBuffer, count: Int, targets: borrowing FloatBuffer, at offset: Int, factor: Float,
    terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    elements(scores, count, targets, offset, factor, &terms, &slopes) { huberTerm($0, $1) }
  }

  /// |z - y| for `count` elements; the derivative where they are equal is 0.
  public static func absolute(
    _ scores: borrowing FloatBuffer, count: Int, targets: borrowing FloatBuffer, at offset: Int, factor: Float,
    terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    elements(scores, count, targets, offset, factor, &terms, &slopes) { absoluteTerm($0, $1) }
  }

  /// The logistic loss of the log-odds z for `count` elements; y is 0 or 1.
  ///
  /// max(z, 0) - z y + ln(1 + e^-|z|): nothing overflows, nothing cancels.
  public static func logistic(
    _ scores: borrowing FloatBuffer, count: Int, targets: borrowing FloatBuffer, at offset: Int, factor: Float,
    terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    elements(scores, count, targets, offset, factor, &terms, &slopes) { logisticTerm($0, $1) }
  }

  /// The hinge max(1 - s z, 0) with s = 2 y - 1 for `count` elements; y is 0 or 1. On the kink the derivative is -s.
  public static func hinge(
    _ scores: borrowing FloatBuffer, count: Int, targets: borrowing FloatBuffer, at offset: Int, factor: Float,
    terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    elements(scores, count, targets, offset, factor, &terms, &slopes) { hingeTerm($0, 2 * $1 - 1) }
  }

  /// The square of the hinge for `count` elements; y is 0 or 1.
  public static func squaredHinge(
    _ scores: borrowing FloatBuffer, count: Int, targets: borrowing FloatBuffer, at offset: Int, factor: Float,
    terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    elements(scores, count, targets, offset, factor, &terms, &slopes) { squaredHingeTerm($0, 2 * $1 - 1) }
  }

  /// One hinge a class against the rest: s is 1 for the row's class and -1 for the others; y is the index of a class.
  ///
  /// The scores are those of `classes`, all of the `count` classes or some.
  public static func classHinge(
    _ scores: borrowing FloatBuffer, rows: Int, classes: Range<Int>, of count: Int, targets: borrowing FloatBuffer,
    at offset: Int, factor: Float, terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    oneAgainstRest(scores, rows, classes, count, targets, offset, factor, &terms, &slopes) { hingeTerm($0, $1) }
  }

  /// One squared hinge a class against the rest.
  public static func squaredClassHinge(
    _ scores: borrowing FloatBuffer, rows: Int, classes: Range<Int>, of count: Int, targets: borrowing FloatBuffer,
    at offset: Int, factor: Float, terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    oneAgainstRest(scores, rows, classes, count, targets, offset, factor, &terms, &slopes) { squaredHingeTerm($0, $1) }
  }

  /// Cross-entropy of the softmax for `rows` rows: ln Σ e^z - z[y]; y is the index of a class. One term a row.
  public static func softmax(
    _ scores: borrowing FloatBuffer, rows: Int, classes: Int, targets: borrowing FloatBuffer, at offset: Int,
    factor: Float, terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    let count = rows * classes
    scores.check(offset: 0, count: count)
    slopes.check(offset: 0, count: count)
    targets.check(offset: offset, count: rows)
    terms.check(offset: 0, count: rows)
    for row in 0..<rows {
      let z = unsafe scores.base + row * classes
      let shifted = unsafe slopes.base + row * classes
      let most = unsafe largest(z, count: classes)
      for index in 0..<classes { unsafe shifted[index] = z[index] - most }
      // For now the score of the row's class relative to the largest one.
      unsafe terms.base[row] = shifted[classIndex(targets.base[offset + row], below: classes)]
    }
    Elementwise.exponential(&slopes, 0..<count)
    for row in 0..<rows {
      let sum = Reduce.orderedSum(slopes, row * classes..<(row + 1) * classes)
      let line = unsafe slopes.base + row * classes
      let scale = Float(Double(factor) / sum)
      for index in 0..<classes { unsafe line[index] *= scale }
      unsafe line[classIndex(targets.base[offset + row], below: classes)] -= factor
      unsafe terms.base[row] = Float(log(sum) - Double(terms.base[row]))
    }
  }

  /// Replaces scores by the softmax of their row.
  public static func softmaxProbabilities(_ scores: inout FloatBuffer, _ view: MatrixView) {
    view.check(within: scores.count)
    for row in 0..<view.rows {
      let start = view.offset + row * view.rowStride
      let line = unsafe scores.base + start
      let most = unsafe largest(line, count: view.columns)
      for index in 0..<view.columns { unsafe line[index] -= most }
      Elementwise.exponential(&scores, start..<start + view.columns)
      let scale = Float(1 / Reduce.orderedSum(scores, start..<start + view.columns))
      for index in 0..<view.columns { unsafe line[index] *= scale }
    }
  }
}

// MARK: - Parts

extension LossTerms {
  @inline(__always)
  static func squaredTerm(_ z: Float, _ y: Float) -> (term: Float, slope: Float) {
    let d = z - y
    return (d * d, 2 * d)
  }

  @inline(__always)
  static func huberTerm(_ z: Float, _ y: Float) -> (term: Float, slope: Float) {
    let d = z - y
    let size = abs(d)
    return (size < 1 ? 0.5 * d * d : size - 0.5, d > 1 ? 1 : (d < -1 ? -1 : d))
  }

  @inline(__always)
  static func absoluteTerm(_ z: Float, _ y: Float) -> (term: Float, slope: Float) {
    let d = z - y
    return (abs(d), d > 0 ? 1 : (d < 0 ? -1 : 0))
  }

  @inline(__always)
  static func logisticTerm(_ z: Float, _ y: Float) -> (term: Float, slope: Float) {
    let e = FloatMath.exponential(-abs(z))
    // The slope first: where rows wait for it, none waits for the loss.
    let slope = (z < 0 ? e : 1) / (1 + e) - y
    return ((z < 0 ? 0 : z) - z * y + FloatMath.logarithmOfOnePlus(e), slope)
  }

  @inline(__always)
  static func hingeTerm(_ z: Float, _ sign: Float) -> (term: Float, slope: Float) {
    let margin = 1 - sign * z
    return (margin < 0 ? 0 : margin, margin < 0 ? 0 : -sign)
  }

  @inline(__always)
  static func squaredHingeTerm(_ z: Float, _ sign: Float) -> (term: Float, slope: Float) {
    let margin = 1 - sign * z
    let short = margin < 0 ? 0 : margin
    return (short * short, -2 * sign * short)
  }

  /// The class that a target names; the reader of the data has checked it.
  @inline(__always)
  static func classIndex(_ target: Float, below classes: Int) -> Int {
    precondition(target >= 0 && target < Float(classes), "class \(target) of \(classes)")
    return Int(target)
  }

  /// The largest of `count` scores; NaN may be passed over, it comes back in the exponentials.
  @inline(__always)
  static func largest(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
    var index = 0
    var most = -Float.infinity
    if count >= 16 {
      var lanes = SIMD16<Float>(repeating: most)
      while index + 16 <= count {
        let values = unsafe UnsafeRawPointer(scores + index).loadUnaligned(as: SIMD16<Float>.self)
        lanes.replace(with: values, where: values .> lanes)
        index += 16
      }
      for lane in 0..<16 where lanes[lane] > most { most = lanes[lane] }
    }
    while index < count {
      let score = unsafe scores[index]
      if score > most { most = score }
      index += 1
    }
    return most
  }

  @inline(__always)
  private static func elements(
    _ scores: borrowing FloatBuffer, _ count: Int, _ targets: borrowing FloatBuffer, _ offset: Int, _ factor: Float,
    _ terms: inout FloatBuffer, _ slopes: inout FloatBuffer,
    _ loss: (_ score: Float, _ target: Float) -> (term: Float, slope: Float)
  ) {
    scores.check(offset: 0, count: count)
    slopes.check(offset: 0, count: count)
    terms.check(offset: 0, count: count)
    targets.check(offset: offset, count: count)
    let (z, y) = unsafe (scores.base, targets.base + offset)
    let (term, slope) = unsafe (terms.base, slopes.base)
    for index in 0..<count {
      let result = unsafe loss(z[index], y[index])
      unsafe term[index] = result.term
      unsafe slope[index] = result.slope * factor
    }
  }

  @inline(__always)
  private static func oneAgainstRest(
    _ scores: borrowing FloatBuffer, _ rows: Int, _ classes: Range<Int>, _ allClasses: Int,
    _ targets: borrowing FloatBuffer, _ offset: Int, _ factor: Float, _ terms: inout FloatBuffer,
    _ slopes: inout FloatBuffer, _ loss: (_ score: Float, _ sign: Float) -> (term: Float, slope: Float)
  ) {
    let count = rows * classes.count
    scores.check(offset: 0, count: count)
    slopes.check(offset: 0, count: count)
    terms.check(offset: 0, count: count)
    targets.check(offset: offset, count: rows)
    // All as the rest, in one vector loop; then the row's class.
    for index in 0..<count {
      let (term, slope) = unsafe loss(scores.base[index], -1)
      unsafe terms.base[index] = term
      unsafe slopes.base[index] = slope * factor
    }
    for row in 0..<rows {
      let index = unsafe classIndex(targets.base[offset + row], below: allClasses)
      guard classes.contains(index) else { continue }
      let place = row * classes.count + index - classes.lowerBound
      let (term, slope) = unsafe loss(scores.base[place], 1)
      unsafe terms.base[place] = term
      unsafe slopes.base[place] = slope * factor
    }
  }
}
