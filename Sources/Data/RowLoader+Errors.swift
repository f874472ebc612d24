// Which value of which row is at fault. The row is read once more, in full precision: what matters is what the file holds.
extension RowLoader {
  /// - Parameter value: what the buffer holds, for the case that the row cannot be read again.
  func notFinite(features: Bool, shard: Int, row: Int, column: Int, value: Float) -> DataError {
    let path = dataset.shards[shard].path
    let stored = storedValues(features: features, shard: shard, row: row)
    var place: Int? = column
    if features, let adapter = dataset.adapter(ofShard: shard) { place = adapter.places.firstIndex(of: column) }
    let found = place.flatMap { place in stored.flatMap { place < $0.count ? $0[place] : nil } } ?? Double(value)
    let name: String
    if features {
      let names = dataset.manifest?.columns ?? []
      name = column < names.count ? "column \(column) ('\(names[column])')" : "column \(column)"
    } else {
      name = (stored?.count ?? 1) == 1 ? "the target" : "target \(column)"
    }
    guard found.isFinite else { return .notFinite(found, row: row, column: name, shard: path) }
    guard abs(found) > Double(Float.greatestFiniteMagnitude) else {
      return .tooLargeWhenScaled(found, row: row, column: name, shard: path)
    }
    return .tooLarge(found, row: row, column: name, shard: path)
  }

  func oddLabel(_ shard: Int, row: Int, column: Int, limit: Int) -> DataError {
    let values = storedValues(features: false, shard: shard, row: row) ?? []
    let allowed: String
    var hint: String?
    if case .binary = use {
      allowed = "0 or 1"
      if values.contains(-1) { hint = "labels of two classes are 0 and 1, not -1 and 1" }
    } else {
      allowed = "a whole number from 0 to \(limit)"
      if column < values.count, values[column] == Double(limit) + 1 { hint = "labels count from 0" }
    }
    return .label(
      column < values.count ? values[column] : .nan, row: row, shard: dataset.shards[shard].path, allowed: allowed,
      hint: hint)
  }

  func oddOneHot(_ shard: Int, row: Int, classes: Int) -> DataError {
    let values = storedValues(features: false, shard: shard, row: row) ?? []
    let shown =
      values.prefix(12).map { DataError.labelText($0) }.joined(separator: ", ") + (values.count > 12 ? ", ..." : "")
    return DataError(
      .invalid,
      "'\(dataset.shards[shard].path)', row \(row): the targets are (\(shown)); allowed is a 1 for the class and 0 for the others",
      hint: "targets of \(classes) columns were taken for one-hot classes, since the model has \(classes) classes")
  }

  private func storedValues(features: Bool, shard: Int, row: Int) -> [Double]? {
    guard let open = try? files.shard(shard) else { return nil }
    return (features ? open.features : open.targets)?.values(ofRow: row)
  }
}
