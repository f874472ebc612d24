import Kernels

/// How the rows of a data set become rows of a model that was fitted on another one: columns and classes have other places there, and
/// features that are stored normalized are brought back to the units that the model's own normalization begins with.
public struct RowAdapter: Equatable, Sendable {
  /// For each stored column its place among those of the model; nil for one that the model has not.
  public let places: [Int?]
  /// For each stored class index that of the model; nil where they are the same, or targets are no classes.
  public let classes: [Int]?
  /// Columns of the model.
  public let columns: Int

  /// What stands in columns of the model that are not stored; one a column.
  private let blanks: [Float]
  /// Turns stored features back into raw ones.
  private let raw: FeatureTransform
  private let isInPlace: Bool
  /// The same as `places`, with -1 for nil.
  private let targets: [Int]
  /// Whether every column of the model is stored.
  private let isWhole: Bool

  /// - Parameters:
  ///   - places: different columns of the model, and nil for what is left out.
  ///   - stored: the normalization that the stored features have undergone; nil for raw ones.
  ///   - model: the normalization that will follow. Columns that are not stored have its mean, 0 without one, so that they are 0 after it.
  /// - Throws: `DataError` where the stored normalization cannot be undone.
  public init(
    places: [Int?], classes: [Int]? = nil, columns: Int, stored: Normalization? = nil, model: Normalization? = nil
  ) throws(DataError) {
    let held = places.compactMap { $0 }
    precondition(
      Set(held).count == held.count && held.allSatisfy { $0 >= 0 && $0 < columns },
      "places \(held) among \(columns) columns")
    self.places = places
    targets = places.map { $0 ?? -1 }
    isWhole = held.count == columns
    self.classes = classes
    self.columns = columns
    blanks = model?.means.map { Float($0) } ?? [Float](repeating: 0, count: columns)
    if let stored {
      // x' = (x - m) / s is undone by (x' + m / s) * s.
      var (means, scales): ([Double], [Double]) = ([], [])
      for (mean, scale) in zip(stored.means, stored.scales) {
        means.append(-mean / scale)
        scales.append(1 / scale)
      }
      raw = FeatureTransform(normalization: try Normalization(means: means, scales: scales))
    } else {
      raw = .none
    }
    isInPlace = places.count == columns && places.indices.allSatisfy { places[$0] == $0 }
  }

  /// Whether features are as they are stored.
  var keepsFeatures: Bool { isInPlace && raw.isIdentity }

  /// Turns `rows` stored rows from `offset` on into raw ones.
  func restore(_ stored: inout FloatBuffer, offset: Int, rows: Int) {
    raw.apply(to: &stored, offset: offset, rows: rows, columns: places.count)
  }

  /// Puts `rows` raw rows at the start of `stored` to their places in rows of the model, from `offset` of `buffer` on.
  func place(_ stored: borrowing FloatBuffer, rows: Int, into buffer: inout FloatBuffer, at offset: Int) {
    Self.place(
      stored.span, rows, targets.span, blanks.span, isWhole: isWhole, &buffer, offset)
  }

  private static func place(
    _ stored: Span<Float>, _ rows: Int, _ places: Span<Int>, _ blanks: Span<Float>, isWhole: Bool,
    _ buffer: inout FloatBuffer, _ offset: Int
  ) {
    var values = buffer.mutableSpan
    for row in 0..<rows {
      let start = offset + row * blanks.count
      if !isWhole {
        for column in 0..<blanks.count { values[start + column] = blanks[column] }
      }
      for column in 0..<places.count where places[column] >= 0 {
        values[start + places[column]] = stored[row * places.count + column]
      }
    }
  }

  /// Replaces class indices as stored, all of them legal or not finite, by those of the model.
  func mapClasses(_ targets: inout FloatBuffer, _ range: Range<Int>) {
    guard let classes else { return }
    for index in range where targets[index].isFinite { targets[index] = Float(classes[Int(targets[index])]) }
  }
}
