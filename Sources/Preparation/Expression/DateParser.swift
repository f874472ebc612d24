/// Reads dates and times as ISO 8601 writes them.
///
/// `2026-01-31`, with a time behind `T` or a space: `HH:MM`, `HH:MM:SS`, `HH:MM:SS.fff`, and behind that `Z` or an offset from
/// UTC, `+01:00`, `+0100` or `+01`. Without an offset it is UTC. Spaces and tabs around it are passed over.
enum DateParser {
  /// The seconds since 1970 began in UTC, or nil if the bytes are no date.
  static func seconds(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
    let range = MissingValue.trimmed(bytes, range)
    // The shortest date has ten characters; nearly every other field is told by its fifth.
    guard range.count >= 10, bytes[range.lowerBound + 4] == UInt8(ascii: "-") else { return nil }
    var cursor = Cursor(position: range.lowerBound, end: range.upperBound)
    guard let year = cursor.digits(4, bytes), cursor.take("-", bytes), let month = cursor.digits(2, bytes),
      cursor.take("-", bytes), let day = cursor.digits(2, bytes), (1...12).contains(month),
      day >= 1, day <= CivilDate.days(inMonth: month, of: year)
    else { return nil }
    var seconds = Double(CivilDate(year: year, month: month, day: day).daysSince1970) * 86_400
    guard cursor.position < cursor.end else { return seconds }
    guard cursor.take("T", bytes) || cursor.take(" ", bytes), let time = cursor.time(bytes) else { return nil }
    seconds += time
    guard cursor.position < cursor.end, !cursor.take("Z", bytes) else {
      return cursor.position == cursor.end ? seconds : nil
    }
    guard let offset = cursor.offset(bytes), cursor.position == cursor.end else { return nil }
    return seconds - offset
  }

  private struct Cursor {
    var position: Int
    let end: Int

    mutating func take(_ mark: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
      guard position < end, bytes[position] == UInt8(ascii: mark) else { return false }
      position += 1
      return true
    }

    mutating func digits(_ count: Int, _ bytes: Span<UInt8>) -> Int? {
      guard end - position >= count else { return nil }
      var value = 0
      for _ in 0..<count {
        let digit = bytes[position] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
        position += 1
      }
      return value
    }

    /// Seconds of the day; a leap second is the last of its minute.
    mutating func time(_ bytes: Span<UInt8>) -> Double? {
      guard let hour = digits(2, bytes), hour < 24, take(":", bytes), let minute = digits(2, bytes), minute < 60
      else { return nil }
      let whole = Double(hour * 3_600 + minute * 60)
      guard take(":", bytes) else { return whole }
      guard let second = digits(2, bytes), second <= 60 else { return nil }
      guard take(".", bytes) else { return whole + Double(second) }
      let start = position
      var fraction = 0.0
      var unit = 1.0
      while position < end, bytes[position] &- UInt8(ascii: "0") < 10 {
        // Beyond nanoseconds a double has no more digits.
        if position - start < 9 {
          fraction = fraction * 10 + Double(bytes[position] &- UInt8(ascii: "0"))
          unit *= 10
        }
        position += 1
      }
      guard position > start else { return nil }
      return whole + Double(second) + fraction / unit
    }

    /// Seconds that the clock is ahead of UTC.
    mutating func offset(_ bytes: Span<UInt8>) -> Double? {
      let isBehind = take("-", bytes)
      guard isBehind || take("+", bytes), let hours = digits(2, bytes), hours < 24 else { return nil }
      var minutes = 0
      if position < end {
        _ = take(":", bytes)
        guard let read = digits(2, bytes), read < 60 else { return nil }
        minutes = read
      }
      let seconds = Double(hours * 3_600 + minutes * 60)
      return isBehind ? -seconds : seconds
    }
  }
}
