extension ClassIndex {
  /// A longer text is no label.
  private static let longestName = 256

  /// The name of the class that a text in `bytes` stands for, where it is none of those that are known: without spaces around it, and a
  /// number as `name` writes it.
  /// - Returns: nil for a missing value, a text that is no UTF-8, and one that is too long for a label.
  static func newName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
    let range = MissingValue.trimmed(bytes, range)
    guard !range.isEmpty, range.count <= longestName, !MissingValue.standard.matches(bytes, range) else { return nil }
    if let value = DecimalParser().double(bytes, range) { return value.isFinite ? name(value) : nil }
    var text: [UInt8] = []
    for index in range { text.append(bytes[index]) }
    return String(validating: text, as: UTF8.self)
  }
}
