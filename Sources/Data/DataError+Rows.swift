import Text

// Errors that name a row of a shard. Rows are counted from 0, as h5py and h5dump count them.
extension DataError {
  static func notFinite(_ value: Double, row: Int, column: String, shard: String) -> DataError {
    DataError(
      .invalid,
      "'\(shard)', row \(row), \(column): \(value.isNaN ? "not a number (NaN)" : "infinite") where a finite number is wanted"
    )
  }

  static func tooLarge(_ value: Double, row: Int, column: String, shard: String) -> DataError {
    DataError(
      .invalid, "'\(shard)', row \(row), \(column): \(value) is too large for a 32-bit float",
      hint: "scale the column, or take its logarithm")
  }

  static func tooLargeWhenScaled(_ value: Double, row: Int, column: String, shard: String) -> DataError {
    DataError(
      .invalid,
      "'\(shard)', row \(row), \(column): \(value) is too large for a 32-bit float once it is scaled or normalized",
      hint: "look at data.scale, and at the means and scales in dataset.json or in the model")
  }

  static func label(_ value: Double, row: Int, shard: String, allowed: String, hint: String? = nil) -> DataError {
    DataError(.invalid, "'\(shard)', row \(row): the label is \(labelText(value)); allowed is \(allowed)", hint: hint)
  }

  /// 3 rather than 3.0, and all digits of what is no whole number.
  static func labelText(_ value: Double) -> String {
    Int(exactly: value).map { String($0) } ?? String(value)
  }
}
