/// Running means and variances of columns, one row after the other, and rows standardised with them.
///
/// Shapes: features rows × columns; counts, means and variances one a column. A row is standardised with what is known
/// after it was counted. Values that are not finite are not counted.
public enum MomentRows {
  /// Counts the rows, in their order.
  ///
  /// West's update, in the order of operations of River's `StandardScaler`: the bits are the same for any cut into calls.
  public static func observe(
    _ features: borrowing FloatBuffer, rows: Range<Int>, columns: Int, counts: inout [Double], means: inout [Double],
    variances: inout [Double]
  ) {
    check(features, rows, columns, counts, means, variances)
    unsafe withState(&counts, &means, &variances) { counts, means, variances in
      for row in rows {
        unsafe count(features.base + row * columns, columns, counts, means, variances)
      }
    }
  }

  /// Counts the rows in their order and writes each, standardised, to `result` from row `first` on: less the mean, divided
  /// by the deviation; 0 where that is 0 and where a value is missing.
  public static func standardize(
    _ features: borrowing FloatBuffer, rows: Range<Int>, columns: Int, counts: inout [Double], means: inout [Double],
    variances: inout [Double], into result: inout FloatBuffer, at first: Int
  ) {
    check(features, rows, columns, counts, means, variances)
    result.check(offset: first * columns, count: rows.count * columns)
    unsafe withState(&counts, &means, &variances) { counts, means, variances in
      for row in rows {
        let values = unsafe features.base + row * columns
        unsafe count(values, columns, counts, means, variances)
        unsafe scale(values, columns, means, variances, result.base + (first + row - rows.lowerBound) * columns)
      }
    }
  }

  /// Writes rows standardised with moments that do not change.
  public static func scale(
    _ features: borrowing FloatBuffer, rows: Range<Int>, columns: Int, means: [Double], variances: [Double],
    into result: inout FloatBuffer, at first: Int
  ) {
    features.check(rows.lowerBound * columns..<rows.upperBound * columns)
    result.check(offset: first * columns, count: rows.count * columns)
    precondition(means.count == columns && variances.count == columns, "\(means.count) moments of \(columns) columns")
    unsafe means.withUnsafeBufferPointer { means in
      unsafe variances.withUnsafeBufferPointer { variances in
        guard let means = means.baseAddress, let variances = variances.baseAddress else { return }
        for row in rows {
          let values = unsafe features.base + row * columns
          unsafe scale(values, columns, means, variances, result.base + (first + row - rows.lowerBound) * columns)
        }
      }
    }
  }

  private static func check(
    _ features: borrowing FloatBuffer, _ rows: Range<Int>, _ columns: Int, _ counts: [Double], _ means: [Double],
    _ variances: [Double]
  ) {
    precondition(rows.lowerBound >= 0, "rows \(rows)")
    features.check(rows.lowerBound * columns..<rows.upperBound * columns)
    precondition(
      counts.count == columns && means.count == columns && variances.count == columns,
      "\(counts.count) moments of \(columns) columns")
  }

  @inline(__always)
  private static func withState(
    _ counts: inout [Double], _ means: inout [Double], _ variances: inout [Double],
    _ body: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) -> Void
  ) {
    unsafe counts.withUnsafeMutableBufferPointer { counts in
      unsafe means.withUnsafeMutableBufferPointer { means in
        unsafe variances.withUnsafeMutableBufferPointer { variances in
          guard let first = counts.baseAddress, let second = means.baseAddress, let third = variances.baseAddress else {
            return
          }
          unsafe body(first, second, third)
        }
      }
    }
  }

  /// Written without branches, so that the loop becomes vector code.
  @inline(__always)
  private static func count(
    _ values: UnsafeMutablePointer<Float>, _ columns: Int, _ counts: UnsafeMutablePointer<Double>,
    _ means: UnsafeMutablePointer<Double>, _ variances: UnsafeMutablePointer<Double>
  ) {
    for column in 0..<columns {
      let value = unsafe Double(values[column])
      let isThere = value.magnitude < .infinity
      let (mean, variance) = unsafe (means[column], variances[column])
      let number = unsafe counts[column] + 1
      let newMean = mean + (value - mean) / number
      let newVariance = variance + ((value - mean) * (value - newMean) - variance) / number
      unsafe counts[column] = isThere ? number : number - 1
      unsafe means[column] = isThere ? newMean : mean
      unsafe variances[column] = isThere ? newVariance : variance
    }
  }

  @inline(__always)
  private static func scale(
    _ values: UnsafeMutablePointer<Float>, _ columns: Int, _ means: UnsafePointer<Double>,
    _ variances: UnsafePointer<Double>, _ result: UnsafeMutablePointer<Float>
  ) {
    for column in 0..<columns {
      let value = unsafe Double(values[column])
      let variance = unsafe variances[column]
      let scaled = unsafe Float((value - means[column]) / variance.squareRoot())
      unsafe result[column] = variance > 0 && value.magnitude < .infinity ? scaled : 0
    }
  }
}
