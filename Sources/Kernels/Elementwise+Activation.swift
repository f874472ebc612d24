// The passes of a dense layer: forward in one pass with the bias, backward from what forward left.
extension Elementwise {
  /// Adds `bias[column]` (from `offset` on) to every row of `z`.
  public static func addBias(
    _ z: inout FloatBuffer, _ view: MatrixView, bias: borrowing FloatBuffer, at offset: Int
  ) {
    biased(&z, view, bias, offset) { $0 }
  }

  /// `z = max(z + bias, 0)`; a NaN stays one.
  public static func addBiasAndRelu(
    _ z: inout FloatBuffer, _ view: MatrixView, bias: borrowing FloatBuffer, at offset: Int
  ) {
    biased(&z, view, bias, offset) { $0 < 0 ? 0 : $0 }
  }

  /// `z = tanh(z + bias)`, within 2 ulp.
  public static func addBiasAndTanh(
    _ z: inout FloatBuffer, _ view: MatrixView, bias: borrowing FloatBuffer, at offset: Int
  ) {
    biased(&z, view, bias, offset) { FloatMath.tanh($0) }
  }

  /// `z = 1 / (1 + exp(-(z + bias)))`, within 3 ulp.
  public static func addBiasAndSigmoid(
    _ z: inout FloatBuffer, _ view: MatrixView, bias: borrowing FloatBuffer, at offset: Int
  ) {
    biased(&z, view, bias, offset) { FloatMath.sigmoid($0) }
  }

  /// `z = gelu(z + bias)`, within 8 ulp, and the derivative there into `slopes`, which `z`'s view describes too.
  ///
  /// The derivative cannot be had from the value, and shares nearly all work with it.
  public static func addBiasAndGelu(
    _ z: inout FloatBuffer, _ view: MatrixView, bias: borrowing FloatBuffer, at offset: Int,
    slopes: inout FloatBuffer
  ) {
    view.check(within: z.count)
    view.check(within: slopes.count)
    bias.check(offset: offset, count: view.columns)
    let terms = unsafe bias.base + offset
    for row in 0..<view.rows {
      let line = unsafe z.base + view.offset + row * view.rowStride
      let slopeLine = unsafe slopes.base + view.offset + row * view.rowStride
      for column in 0..<view.columns {
        let (value, slope) = unsafe FloatMath.gelu(line[column] + terms[column])
        unsafe line[column] = value
        unsafe slopeLine[column] = slope
      }
    }
  }

  /// Multiplies gradients with respect to the values of relu by its derivative, given the values: 1 above 0, else 0.
  public static func multiplyByReluSlope(
    _ gradient: inout FloatBuffer, _ range: Range<Int>, values: borrowing FloatBuffer
  ) {
    sloped(&gradient, range, values) { $1 <= 0 ? 0 : $0 }
  }

  /// Multiplies gradients with respect to the values of tanh by its derivative, given the values.
  public static func multiplyByTanhSlope(
    _ gradient: inout FloatBuffer, _ range: Range<Int>, values: borrowing FloatBuffer
  ) {
    sloped(&gradient, range, values) { $0 * (1 - $1 * $1) }
  }

  /// Multiplies gradients with respect to the values of the sigmoid by its derivative, given the values.
  public static func multiplyBySigmoidSlope(
    _ gradient: inout FloatBuffer, _ range: Range<Int>, values: borrowing FloatBuffer
  ) {
    sloped(&gradient, range, values) { $0 * ($1 * (1 - $1)) }
  }

  /// Multiplies gradients by derivatives, element by element.
  public static func multiply(
    _ gradient: inout FloatBuffer, _ range: Range<Int>, by slopes: borrowing FloatBuffer
  ) {
    sloped(&gradient, range, slopes) { $0 * $1 }
  }

  /// Replaces the elements in `range` by their sigmoid, within 3 ulp: scores to probabilities.
  public static func sigmoid(_ buffer: inout FloatBuffer, _ range: Range<Int>) {
    buffer.check(range)
    let values = unsafe buffer.base + range.lowerBound
    for index in 0..<range.count { unsafe values[index] = FloatMath.sigmoid(values[index]) }
  }

  /// Replaces the elements in `range` by their exponential, within 1 ulp.
  public static func exponential(_ buffer: inout FloatBuffer, _ range: Range<Int>) {
    buffer.check(range)
    let values = unsafe buffer.base + range.lowerBound
    for index in 0..<range.count { unsafe values[index] = FloatMath.exponential(values[index]) }
  }

  @inline(__always)
  private static func biased(
    _ z: inout FloatBuffer, _ view: MatrixView, _ bias: borrowing FloatBuffer, _ offset: Int,
    _ function: (Float) -> Float
  ) {
    view.check(within: z.count)
    bias.check(offset: offset, count: view.columns)
    let terms = unsafe bias.base + offset
    if view.columns == 1 && view.isContiguous {
      // A loop over rows would have loops of one element.
      let term = unsafe terms[0]
      let column = unsafe z.base + view.offset
      for row in 0..<view.rows { unsafe column[row] = function(column[row] + term) }
      return
    }
    for row in 0..<view.rows {
      let line = unsafe z.base + view.offset + row * view.rowStride
      for column in 0..<view.columns { unsafe line[column] = function(line[column] + terms[column]) }
    }
  }

  @inline(__always)
  private static func sloped(
    _ gradient: inout FloatBuffer, _ range: Range<Int>, _ values: borrowing FloatBuffer,
    _ function: (_ gradient: Float, _ value: Float) -> Float
  ) {
    gradient.check(range)
    values.check(range)
    let (part, known) = unsafe (gradient.base + range.lowerBound, values.base + range.lowerBound)
    for index in 0..<range.count { unsafe part[index] = function(part[index], known[index]) }
  }
}
