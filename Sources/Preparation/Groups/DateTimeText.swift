internal import Text

/// Moments as ISO 8601 writes them.
enum DateTimeText {
  /// The moment so many seconds after the beginning of 1970, in UTC: `2024-05-01`, or `2024-05-01T12:30:00` where it is no
  /// midnight, with as many decimals as the seconds have.
  static func iso(_ seconds: Double) -> String {
    // What a double has of a fraction of a second in our times: microseconds.
    let seconds = abs(seconds) < 0x1p33 ? (seconds * 1e6).rounded() / 1e6 : seconds
    let whole = seconds.rounded(.down)
    guard let total = Int(exactly: whole), abs(total) < 1 << 53 else { return seconds.description }
    let day = total >= 0 ? total / 86_400 : (total - 86_399) / 86_400
    let date = CivilDate(daysSince1970: day)
    let time = total - day * 86_400
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let year = String(date.year.magnitude)
    let sign = date.year < 0 ? "-" : ""
    let text =
      "\(sign)\(String(repeating: "0", count: max(0, 4 - year.count)))\(year)-\(two(date.month))-\(two(date.day))"
    guard time != 0 || seconds != whole else { return text }
    let fraction = fixed(seconds - whole, decimals: 6).dropFirst().trimmingZeros
    return text + "T\(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60))\(fraction)"
  }
}

extension Substring {
  /// Without zeros at the end of the decimals, and without a point that none follow.
  fileprivate var trimmingZeros: Substring {
    var rest = self
    while rest.last == "0" { rest.removeLast() }
    return rest == "." ? "" : rest
  }
}
