import Testing

@testable import Preparation

@Suite struct DateTests {
  private static func seconds(_ text: String) -> Double? {
    let bytes = Array(text.utf8)
    return DateParser.seconds(bytes.span, 0..<bytes.count)
  }

  @Test(arguments: [
    ("1970-01-01", 0), ("1970-01-02", 86_400), ("1969-12-31", -86_400), ("2000-03-01", 951_868_800),
    ("2024-02-29", 1_709_164_800), ("1900-03-01", -2_203_891_200), ("0001-01-01", -62_135_596_800),
    ("9999-12-31T23:59:59", 253_402_300_799), ("2026-11-21 13:05", 1_795_266_300),
    ("2026-11-21T13:05:07Z", 1_795_266_307),
    ("2026-11-21T13:05:07.25", 1_795_266_307.25), ("2026-11-21T13:05:07+02:00", 1_795_259_107),
    ("2026-11-21T13:05:07-0230", 1_795_275_307), ("2026-11-21T13:05:07+02", 1_795_259_107), (" 1970-01-01\t", 0),
  ])
  func dates(text: String, expected: Double) {
    #expect(Self.seconds(text) == expected)
  }

  @Test(arguments: [
    "", "1970", "1970-1-1", "1970-13-01", "1970-00-01", "1970-02-29", "2100-02-29", "1970-01-32", "1970-01-00",
    "1970/01/01",
    "01-01-1970", "1970-01-01T", "1970-01-01T24:00", "1970-01-01T12", "1970-01-01T12:60", "1970-01-01T12:00:61",
    "1970-01-01T12:00:00.", "1970-01-01T12:00:00X", "1970-01-01T12:00:00+1", "1970-01-01T12:00:00+01:00x",
    "1970-01-01x",
    "-970-01-01", "1970-01-011", "é970-01-01",
  ])
  func notDates(text: String) {
    #expect(Self.seconds(text) == nil)
  }

  /// Every day of more than a cycle of the calendar, there and back.
  @Test func everyDay() {
    var before = CivilDate(daysSince1970: -200_001)
    for days in -200_000...200_000 {
      let date = CivilDate(daysSince1970: days)
      guard date.daysSince1970 == days, (1...CivilDate.days(inMonth: date.month, of: date.year)).contains(date.day)
      else {
        Issue.record("day \(days) became \(date)")
        return
      }
      let isNext = date.day == before.day + 1 && date.month == before.month
      guard isNext || date.day == 1 else {
        Issue.record("\(date) follows \(before)")
        return
      }
      before = date
    }
    #expect(CivilDate(daysSince1970: 19_782).dayOfYear == 60)
    #expect(CivilDate(daysSince1970: 20_088).dayOfYear == 366)
  }

  @Test func parts() {
    // 2024-12-31 23:59:59.5, a Tuesday.
    let moment = 1_735_689_599.5
    let values = DatePart.allCases.map { $0.value(ofSeconds: moment) }
    #expect(values == [2024, 12, 31, 23, 59, 59.5, 1, 366, 4])
    #expect(DatePart.year.value(ofSeconds: .nan).isNaN && DatePart.year.value(ofSeconds: 1e300).isNaN)
  }
}
