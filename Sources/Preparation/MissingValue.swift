/// What to do with a row that lacks a value.
public enum MissingPolicy: String, CaseIterable, Equatable, Sendable {
  /// Stop, with the line and column.
  case error
  /// Leave the row out.
  case drop
}

/// Which fields stand for a value that is not there: empty ones, and some words in any case.
public struct MissingValue: Equatable, Sendable {
  /// Empty, NA, N/A, NaN and null.
  public static let standard = MissingValue()

  /// In small letters.
  private let words: [[UInt8]]
  /// Which bytes such a word starts with: nearly every field is a number, and decided by its first byte.
  private let firstBytes: [Bool]

  /// - Parameter more: words beside the usual ones.
  public init(_ more: [String] = []) {
    words = (["na", "n/a", "nan", "null"] + more).map { $0.trimmed.utf8.map(Self.lowercased) }
    var firstBytes = [Bool](repeating: false, count: 256)
    for word in words { if let first = word.first { firstBytes[Int(first)] = true } }
    self.firstBytes = firstBytes
  }

  /// Whether the bytes of a field, without spaces around them, say that there is no value.
  func matches(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let range = Self.trimmed(bytes, range)
    guard !range.isEmpty else { return true }
    guard firstBytes[Int(Self.lowercased(bytes[range.lowerBound]))] else { return false }
    for word in words where word.count == range.count {
      var isEqual = true
      for index in word.indices where Self.lowercased(bytes[range.lowerBound + index]) != word[index] {
        isEqual = false
      }
      if isEqual { return true }
    }
    return false
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
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
