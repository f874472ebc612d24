/// Mean and spread of each column, row by row.
///
/// Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4 (1962):
/// differences from the running mean, so that nothing cancels where the mean is large beside the spread.
struct ColumnMoments: Sendable {
  private(set) var rows = 0
  private(set) var means: [Double]
  private var squares: [Double]
  private var minima: [Float]
  private var maxima: [Float]

  init(columns: Int) {
    means = [Double](repeating: 0, count: columns)
    squares = [Double](repeating: 0, count: columns)
    minima = [Float](repeating: .infinity, count: columns)
    maxima = [Float](repeating: -.infinity, count: columns)
  }

  /// Adds the row that starts at `offset` of `values`, as it is stored.
  mutating func add(_ values: Span<Float>, at offset: Int) {
    rows += 1
    let count = Double(rows)
    for column in means.indices {
      let value = values[offset + column]
      let difference = Double(value) - means[column]
      means[column] += difference / count
      squares[column] += difference * (Double(value) - means[column])
      minima[column] = min(minima[column], value)
      maxima[column] = max(maxima[column], value)
    }
  }

  /// The population standard deviation of each column; 1 where the column is constant, so that it can be divided by.
  var scales: [Double] {
    means.indices.map { column in
      guard rows > 0, minima[column] < maxima[column] else { return 1 }
      let deviation = (squares[column] / Double(rows)).squareRoot()
      // So small that dividing by it leaves the 32-bit numbers: as good as constant.
      return (1 / Float(deviation)).isFinite ? deviation : 1
    }
  }
}
