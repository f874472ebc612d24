/// Mean and spread of each column, row by row.
///
/// Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4 (1962):
/// differences from the running mean, so that nothing cancels where the mean is large beside the spread. Parts are put
/// together by Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).
struct ColumnMoments: Equatable, Sendable {
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

  /// Adds rows behind these.
  mutating func merge(_ other: ColumnMoments) {
    guard other.rows > 0 else { return }
    guard rows > 0 else {
      self = other
      return
    }
    let total = rows + other.rows
    let share = Double(other.rows) / Double(total)
    for column in means.indices {
      let difference = other.means[column] - means[column]
      means[column] += difference * share
      squares[column] += other.squares[column] + difference * difference * share * Double(rows)
      minima[column] = min(minima[column], other.minima[column])
      maxima[column] = max(maxima[column], other.maxima[column])
    }
    rows = total
  }

  /// All numbers one behind the other, for another rank.
  var numbers: [Double] {
    [Double(rows)] + means + squares + minima.map { Double($0) } + maxima.map { Double($0) }
  }

  /// - Parameter numbers: as many as `numbers` of `columns` columns has.
  init(columns: Int, numbers: ArraySlice<Double>) {
    let numbers = Array(numbers)
    func part(_ index: Int) -> ArraySlice<Double> { numbers[1 + index * columns..<1 + (index + 1) * columns] }
    rows = Int(numbers[0])
    means = Array(part(0))
    squares = Array(part(1))
    minima = part(2).map { Float($0) }
    maxima = part(3).map { Float($0) }
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
