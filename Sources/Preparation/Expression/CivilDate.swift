/// A day of the Gregorian calendar, also before it was introduced.
struct CivilDate: Equatable, Sendable {
  let year: Int
  /// 1 to 12.
  let month: Int
  /// 1 to 31.
  let day: Int

  /// The day that comes `days` after the first of January 1970.
  ///
  /// Counts in cycles of 400 years, whose years begin in March so that the leap day comes last.
  /// Source: E. M. Reingold and N. Dershowitz, Calendrical Calculations, chapter 2.
  init(daysSince1970 days: Int) {
    let daysPerCycle = 146_097
    // From the first of March of the year 0.
    let shifted = days + 719_468
    let cycle = shifted >= 0 ? shifted / daysPerCycle : (shifted - daysPerCycle + 1) / daysPerCycle
    let dayOfCycle = shifted - cycle * daysPerCycle
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
  }

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// How many days come between the first of January 1970 and this day.
  var daysSince1970: Int {
    let yearFromMarch = month > 2 ? year : year - 1
    let cycle = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
    let yearOfCycle = yearFromMarch - cycle * 400
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
  }

  static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  /// 1 to 366.
  var dayOfYear: Int {
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    return before[month - 1] + day + (Self.isLeap(year) && month > 2 ? 1 : 0)
  }
}
