/// A part of a date and time in UTC, as a number.
public enum DatePart: String, CaseIterable, Sendable {
  case year
  /// 1 to 12.
  case month
  /// 1 to 31.
  case day
  case hour, minute
  /// With its fraction.
  case second
  /// 0 is Monday, 6 is Sunday.
  case weekday
  /// 1 to 366.
  case dayOfYear = "day_of_year"
  /// 1 to 4.
  case quarter

  private static let secondsPerDay = 86_400.0

  /// The part of the moment `seconds` after 1970 began; missing (NaN) if that is.
  func value(ofSeconds seconds: Double) -> Double {
    // Beyond this many seconds (about 30 million years) a double has no seconds any more.
    guard seconds.magnitude < 1e15 else { return .nan }
    let days = (seconds / Self.secondsPerDay).rounded(.down)
    let time = seconds - days * Self.secondsPerDay
    switch self {
    case .hour: return (time / 3_600).rounded(.down)
    case .minute: return (time / 60).rounded(.down).truncatingRemainder(dividingBy: 60)
    case .second: return time - (time / 60).rounded(.down) * 60
    case .weekday:
      // The first of January 1970 was a Thursday.
      let weekday = (Int(days) + 3) % 7
      return Double(weekday < 0 ? weekday + 7 : weekday)
    case .year: return Double(CivilDate(daysSince1970: Int(days)).year)
    case .month: return Double(CivilDate(daysSince1970: Int(days)).month)
    case .day: return Double(CivilDate(daysSince1970: Int(days)).day)
    case .dayOfYear: return Double(CivilDate(daysSince1970: Int(days)).dayOfYear)
    case .quarter: return Double((CivilDate(daysSince1970: Int(days)).month + 2) / 3)
    }
  }
}
