/// What to do with a row that lacks a value.
public enum MissingPolicy: String, CaseIterable, Equatable, Sendable {
  /// Stop, with the line and column.
  case error
  /// Leave the row out.
  case drop
}

/// Which fields stand for a value that is not there: empty ones, and NA, N/A, NaN and null in any case.
enum MissingValue {
  private static let words: [[UInt8]] = ["na", "n/a", "nan", "null"].map { Array($0.utf8) }

  /// Whether the bytes of a field, without spaces around them, say that there is no value.
  static func matches(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let range = trimmed(bytes, range)
    guard !range.isEmpty else { return true }
    // Nearly every field is a number: decided by its first byte.
    guard bytes[range.lowerBound] | 0x20 == UInt8(ascii: "n"), range.count <= 4 else { return false }
    for word in words where word.count == range.count {
      var isEqual = true
      for index in word.indices {
        let byte = bytes[range.lowerBound + index]
        let isLetter = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
        if (isLetter ? byte | 0x20 : byte) != word[index] { isEqual = false }
      }
      if isEqual { return true }
    }
    return false
  }

  /// `range` without the spaces and tabs at its ends.
  static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var lower = range.lowerBound
    var upper = range.upperBound
    while lower < upper, bytes[lower] == 0x20 || bytes[lower] == 0x09 { lower += 1 }
    while upper > lower, bytes[upper - 1] == 0x20 || bytes[upper - 1] == 0x09 { upper -= 1 }
    return lower..<upper
  }
}
