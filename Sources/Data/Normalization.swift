/// What brings each column of features to mean 0 and deviation 1: `(x - mean) / scale`, fitted on a training split.
public struct Normalization: Equatable, Sendable {
  /// One a column.
  public let means: [Double]
  /// One a column; what a column is divided by, never 0.
  public let scales: [Double]

  public var columns: Int { means.count }

  /// - Throws: `DataError` of kind `.invalid` if the counts differ, a value is not finite, or a scale is 0, as `Float`s too.
  public init(means: [Double], scales: [Double]) throws(DataError) {
    guard means.count == scales.count else {
      throw DataError(.invalid, "a normalization has \(means.count) means and \(scales.count) scales")
    }
    for column in means.indices {
      guard Float(means[column]).isFinite else {
        throw DataError(.invalid, "the mean of column \(column) of a normalization is \(means[column])")
      }
      guard Float(scales[column]).isFinite, (1 / Float(scales[column])).isFinite else {
        throw DataError(.invalid, "the scale of column \(column) of a normalization is \(scales[column])")
      }
    }
    self.means = means
    self.scales = scales
  }
}
