public import Kernels

/// What happens to features between the file and the model: `(stored - mean) / deviation * scale`.
public struct FeatureTransform: Equatable, Sendable {
  public static let none = FeatureTransform()

  public let normalization: Normalization?
  /// One factor for all columns, 1/255 for example.
  public let scale: Float

  private let means: [Float]
  private let factors: [Float]

  /// - Parameter scale: finite and not 0; whoever takes it from a user checks it.
  public init(normalization: Normalization? = nil, scale: Float = 1) {
    precondition(scale.isFinite && scale != 0, "features scaled by \(scale)")
    self.normalization = normalization
    self.scale = scale
    self.means = normalization?.means.map { Float($0) } ?? []
    self.factors = normalization?.scales.map { Float(Double(scale) / $0) } ?? []
  }

  public var isIdentity: Bool { normalization == nil && scale == 1 }

  /// Applies the transform to `rows` rows of `columns` values from `offset` on.
  public func apply(to buffer: inout FloatBuffer, offset: Int, rows: Int, columns: Int) {
    if normalization != nil {
      precondition(means.count == columns, "a normalization of \(means.count) columns for rows of \(columns)")
      Self.normalize(&buffer, offset: offset, rows: rows, means: means.span, factors: factors.span)
    } else if scale != 1 {
      Elementwise.scale(&buffer, offset..<offset + rows * columns, by: scale)
    }
  }

  /// Puts `value`, in stored units, in the place of every number of transformed rows that is not finite; the mean of its column for nil,
  /// which only a normalization knows.
  func replaceNonFinite(in buffer: inout FloatBuffer, _ range: Range<Int>, columns: Int, with value: Float?) {
    while let index = Elementwise.firstNonFinite(buffer, range) {
      let column = (index - range.lowerBound) % columns
      // A row at a time: what follows may have more.
      let rowEnd = index - column + columns
      for place in index..<rowEnd where !buffer[place].isFinite {
        buffer[place] = transformed(value, column: (place - range.lowerBound) % columns)
      }
    }
  }

  /// What becomes of a stored value; of the mean for nil.
  private func transformed(_ value: Float?, column: Int) -> Float {
    guard normalization != nil else { return (value ?? 0) * scale }
    return value.map { ($0 - means[column]) * factors[column] } ?? 0
  }

  /// Subtracts first: multiplying first loses the digits of a column whose mean is large against its deviation.
  private static func normalize(
    _ buffer: inout FloatBuffer, offset: Int, rows: Int, means: Span<Float>, factors: Span<Float>
  ) {
    let columns = means.count
    var all = buffer.mutableSpan
    var values = all._mutatingExtracting(offset..<offset + rows * columns)
    for row in 0..<rows {
      let start = row * columns
      for column in 0..<columns {
        values[start + column] = (values[start + column] - means[column]) * factors[column]
      }
    }
  }

  /// Throws unless the normalization, if there is one, is for `columns` columns.
  func check(columns: Int, of what: String) throws(DataError) {
    guard let normalization, normalization.columns != columns else { return }
    throw DataError(
      .invalid, "\(what) has \(columns) columns, the normalization to apply has \(normalization.columns)")
  }
}
