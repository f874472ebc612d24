import Glibc

/// The softmax over classes whose scores are split among ranks: each rank makes a *summary* of its scores of a row, and
/// from the summaries of all follow the loss and the rank's own slopes.
///
/// Source: M. Milakov and N. Gimelshein, Online normalizer calculation for softmax (2018).
extension LossTerms {
  /// Floats of the summary of a row: the largest score m, Σ e^(z-m), and the score of the row's class, or 0 where that is
  /// another rank's.
  public static let summaryWidth = 3

  /// Writes the summaries of `rows` rows from `summaryOffset` on, and e^(z-m) to `slopes`.
  ///
  /// Shapes: `scores` and `slopes` rows × `classes`, which are some of the `count` classes.
  public static func summarizeSoftmax(
    _ scores: borrowing FloatBuffer, rows: Int, classes: Range<Int>, of count: Int, targets: borrowing FloatBuffer,
    at offset: Int, summaries: inout FloatBuffer, at summaryOffset: Int, slopes: inout FloatBuffer
  ) {
    let width = classes.count
    scores.check(offset: 0, count: rows * width)
    slopes.check(offset: 0, count: rows * width)
    targets.check(offset: offset, count: rows)
    summaries.check(offset: summaryOffset, count: rows * summaryWidth)
    for row in 0..<rows {
      let z = unsafe scores.base + row * width
      let shifted = unsafe slopes.base + row * width
      let summary = unsafe summaries.base + summaryOffset + row * summaryWidth
      let most = unsafe largest(z, count: width)
      for index in 0..<width { unsafe shifted[index] = z[index] - most }
      let target = unsafe classIndex(targets.base[offset + row], below: count)
      unsafe summary[0] = most
      unsafe summary[2] = classes.contains(target) ? z[target - classes.lowerBound] : 0
    }
    Elementwise.exponential(&slopes, 0..<rows * width)
    for row in 0..<rows {
      let sum = Reduce.orderedSum(slopes, row * width..<(row + 1) * width)
      unsafe summaries.base[summaryOffset + row * summaryWidth + 1] = Float(sum)
    }
  }

  /// Turns e^(z-m) in `slopes` into the derivatives of the cross-entropy, and writes its terms, one a row; the same on every
  /// rank.
  ///
  /// Shapes: `summaries` those of all `ranks` one behind the other, each rows × `summaryWidth`; `part` says which of them
  /// is that of `slopes`.
  public static func splitSoftmax(
    summaries: borrowing FloatBuffer, part: Int, ranks: Int, rows: Int, classes: Range<Int>,
    targets: borrowing FloatBuffer, at offset: Int, factor: Float, terms: inout FloatBuffer, slopes: inout FloatBuffer
  ) {
    let width = classes.count
    summaries.check(offset: 0, count: ranks * rows * summaryWidth)
    slopes.check(offset: 0, count: rows * width)
    targets.check(offset: offset, count: rows)
    terms.check(offset: 0, count: rows)
    for row in 0..<rows {
      let first = unsafe summaries.base + row * summaryWidth
      let stride = rows * summaryWidth
      var most = -Float.infinity
      for rank in 0..<ranks { unsafe most = max(most, first[rank * stride]) }
      var sum = 0.0
      var score: Float = 0
      for rank in 0..<ranks {
        let summary = unsafe first + rank * stride
        unsafe sum += Double(summary[1]) * exp(Double(summary[0]) - Double(most))
        unsafe score += summary[2]
      }
      let scale = unsafe Float(Double(factor) * exp(Double(first[part * stride]) - Double(most)) / sum)
      let line = unsafe slopes.base + row * width
      for index in 0..<width { unsafe line[index] *= scale }
      let target = unsafe Int(targets.base[offset + row])
      if classes.contains(target) { unsafe line[target - classes.lowerBound] -= factor }
      unsafe terms.base[row] = Float(log(sum) + (Double(most) - Double(score)))
    }
  }
}
