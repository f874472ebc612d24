/// What pulls parameters back to where they were, each with a strength of its own.
public enum Elastic {
  /// `result = gradient + strength * importance * (parameters - anchor)` on `range`.
  public static func addPull(
    _ range: Range<Int>, gradient: borrowing FloatBuffer, parameters: borrowing FloatBuffer,
    anchor: borrowing FloatBuffer, importance: borrowing FloatBuffer, strength: Float, into result: inout FloatBuffer
  ) {
    addPull(
      gradient.span.extracting(range), parameters.span.extracting(range), anchor.span.extracting(range),
      importance.span.extracting(range), strength, &result, range.lowerBound)
  }

  private static func addPull(
    _ gradient: Span<Float>, _ parameters: Span<Float>, _ anchor: Span<Float>, _ importance: Span<Float>,
    _ strength: Float, _ result: inout FloatBuffer, _ start: Int
  ) {
    var values = result.mutableSpan
    for index in 0..<gradient.count {
      values[start + index] =
        gradient[index] + strength * importance[index] * (parameters[index] - anchor[index])
    }
  }

  /// `sums += factor * values²`, all of them.
  public static func addSquares(of values: borrowing FloatBuffer, times factor: Float, to sums: inout FloatBuffer) {
    addSquares(values.span, factor, &sums)
  }

  private static func addSquares(_ values: Span<Float>, _ factor: Float, _ sums: inout FloatBuffer) {
    var span = sums.mutableSpan
    for index in 0..<values.count { span[index] += factor * values[index] * values[index] }
  }
}
