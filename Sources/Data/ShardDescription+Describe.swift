import HDF5
import Text

extension ShardDescription {
  /// Opens the shard at `path` and says what it holds. A failure becomes part of the description, so that ranks which each
  /// describe some of the shards can exchange the result and all fail alike (`ShardedDataset.init`).
  ///
  /// - Parameters:
  ///   - targets: nil where none are needed.
  ///   - scanLabels: reads all targets to find their range, where there is one a row.
  public static func attempt(path: String, features: String, targets: String?, scanLabels: Bool) -> ShardDescription {
    do {
      return try describe(path: path, features: features, targets: targets, scanLabels: scanLabels)
    } catch {
      return ShardDescription(path: path, features: features, targets: targets, failure: error)
    }
  }

  /// Opens the shard at `path` and says what it holds.
  /// - Throws: `DataError` if it cannot be opened, lacks a data set (with those that are there), or if features and targets do
  ///   not fit each other.
  public static func describe(
    path: String, features: String, targets: String?, scanLabels: Bool
  ) throws(DataError) -> ShardDescription {
    let file = try DataError.wrapping { () throws(HDF5Error) in try HDF5File.open(path) }
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
            ? "Store class names as their numbers, 0 up to the number of classes." : nil)
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
      path: path, features: features, targets: targets, rows: rows, columns: columns,
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

extension HDF5File {
  /// The data set `name`; where there is none, the error lists those that are there.
  borrowing func dataSet(named name: String, role: String) throws(DataError) -> HDF5Dataset {
    do throws(HDF5Error) {
      return try dataset(named: name)
    } catch {
      guard error.kind == .missing || error.kind == .typeMismatch else { throw DataError(error) }
      let found = dataSets()
      let names = found.map(\.name)
      var message = "'\(path)' has no data set '\(name)' for the \(role)"
      if found.isEmpty {
        message += "; it has none at all"
      } else {
        message += "; it has:"
        for entry in found.prefix(20) { message += "\n  \(entry.name)  \(entry.type) \(shapeText(entry.shape))" }
        if found.count > 20 { message += "\n  and \(found.count - 20) more" }
      }
      let bare = name.hasPrefix("/") ? String(name.dropFirst()) : name
      throw DataError(.invalid, message, hint: closest(to: bare, among: names).map { "Did you mean '\($0)'?" })
    }
  }

  /// The data sets of the file, also those in groups, with type and shape; those that cannot be opened are left out.
  borrowing func dataSets() -> [(name: String, type: ElementType, shape: [Int])] {
    var found: [(name: String, type: ElementType, shape: [Int])] = []
    // Groups still to be listed. A group may hold itself by a hard link: depth and number are bounded.
    var groups = [(path: "", depth: 0)]
    var next = 0
    while next < groups.count && found.count < 1_000 {
      let group = groups[next]
      next += 1
      guard let members = try? names(of: group.path) else { continue }
      for member in members {
        let path = group.path.isEmpty ? member.name : "\(group.path)/\(member.name)"
        switch member.kind {
        case .dataset:
          if let set = try? dataset(named: path) { found.append((path, set.elementType, set.shape)) }
        case .group where group.depth < 3 && groups.count < 100: groups.append((path, group.depth + 1))
        default: break
        }
      }
    }
    return found
  }
}
