import HDF5
import Text

extension ShardDescription {
  /// Opens the shard at `path` and says what it holds. A failure becomes part of the description, so that ranks which each
  /// describe some of the shards can exchange the result and all fail alike (`ShardedDataset.init`).
  ///
  /// - Parameters:
  ///   - targets: nil where none are needed.
  ///   - scanLabels: reads all targets to find their range, where there is one a row.
  ///   - trusted: the file may lead to others (`HDF5File.open`).
  public static func attempt(
    path: String, features: String, targets: String?, scanLabels: Bool, trusted: Bool = false
  ) -> ShardDescription {
    do {
      return try describe(
        path: path, features: features, targets: targets, scanLabels: scanLabels, trusted: trusted)
    } catch {
      return ShardDescription(path: path, features: features, targets: targets, isTrusted: trusted, failure: error)
    }
  }

  /// Opens the shard at `path` and says what it holds.
  /// - Throws: `DataError` if it cannot be opened, lacks a data set (with those that are there), or if features and targets do
  ///   not fit each other.
  public static func describe(
    path: String, features: String, targets: String?, scanLabels: Bool, trusted: Bool = false
  ) throws(DataError) -> ShardDescription {
    let file = try DataError.wrapping { () throws(HDF5Error) in try HDF5File.open(path, trusted: trusted) }
    let featureSet = try file.dataSet(named: features, role: "features")
    let featureShape = featureSet.shape
    guard featureSet.elementType.isNumber else {
      throw DataError(
        .invalid, "the features '\(features)' in '\(path)' are \(featureSet.elementType); wanted are numbers")
    }
    guard let rows = featureShape.first, let columns = rowSize(of: featureShape), columns > 0 else {
      throw DataError(
        .invalid,
        "the features '\(features)' in '\(path)' have the shape \(shapeText(featureShape)); wanted is (rows, columns)"
      )
    }
    var targetType: ElementType?
    var targetShape: [Int] = []
    var labels: Labels?
    if let targets {
      let targetSet = try file.dataSet(named: targets, role: "targets")
      targetShape = targetSet.shape
      targetType = targetSet.elementType
      guard targetSet.elementType.isNumber else {
        throw DataError(
          .invalid, "the targets '\(targets)' in '\(path)' are \(targetSet.elementType); wanted are numbers",
          hint: targetSet.elementType == .string
            ? "store class names as their numbers, 0 up to the number of classes" : nil)
      }
      guard let targetRows = targetShape.first, let width = rowSize(of: targetShape), width > 0 else {
        throw DataError(
          .invalid,
          "the targets '\(targets)' in '\(path)' have the shape \(shapeText(targetShape)); wanted is (rows) or (rows, outputs)"
        )
      }
      guard targetRows == rows else {
        throw DataError(
          .invalid,
          "'\(path)' has \(grouped(rows)) rows of features ('\(features)') and \(grouped(targetRows)) of targets ('\(targets)')"
        )
      }
      if scanLabels && width == 1 { labels = try scan(targetSet, rows: rows, path: path, name: targets) }
    }
    return ShardDescription(
      path: path, features: features, targets: targets, isTrusted: trusted, rows: rows, columns: columns,
      featureType: featureSet.elementType,
      featureShape: featureShape, chunkRows: featureSet.chunk?.first, targetType: targetType, targetShape: targetShape,
      labels: labels)
  }

  /// Reads all labels, 64 Ki at a time.
  private static func scan(
    _ targets: borrowing HDF5Dataset, rows: Int, path: String, name: String
  ) throws(DataError) -> Labels? {
    guard rows > 0 else { return nil }
    let step = 1 << 16
    var minimum = Double.infinity
    var maximum = -Double.infinity
    var firstOdd: Labels.OddLabel?
    var values = [Double](repeating: 0, count: min(rows, step))
    var start = 0
    while start < rows {
      let count = min(step, rows - start)
      if values.count != count { values = [Double](repeating: 0, count: count) }
      do throws(HDF5Error) {
        var span = values.mutableSpan
        try targets.readConverting(rows: start..<start + count, into: &span)
      } catch {
        throw DataError(error)
      }
      for (index, value) in values.enumerated() {
        guard value.isFinite else {
          throw .notFinite(value, row: start + index, column: "targets '\(name)'", shard: path)
        }
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        if firstOdd == nil && (value < 0 || value.rounded() != value) {
          firstOdd = Labels.OddLabel(row: start + index, value: value)
        }
      }
      start += count
    }
    return Labels(minimum: minimum, maximum: maximum, firstOdd: firstOdd)
  }
}

/// Values in a row of data of `shape`: all dimensions but the first multiplied. Nil without a dimension, or if it overflows.
func rowSize(of shape: [Int]) -> Int? {
  guard !shape.isEmpty else { return nil }
  var size = 1
  for dimension in shape.dropFirst() {
    let product = size.multipliedReportingOverflow(by: dimension)
    guard !product.overflow, dimension >= 0 else { return nil }
    size = product.partialValue
  }
  // As bytes of float32 it has to be a number still.
  return size <= Int.max / 64 ? size : nil
}

func shapeText(_ shape: [Int]) -> String { "(" + shape.map { grouped($0) }.joined(separator: " x ") + ")" }
