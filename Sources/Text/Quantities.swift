/// A number of bytes for people: "512 B", "1.5 MiB", "12 GiB". Three digits at most, of 1,024 each.
public func bytes(_ n: Int) -> String {
  let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
  guard n.magnitude >= 1_024 else { return "\(n) B" }
  var amount = Double(n) / 1_024
  var unit = 0
  // What would be rounded to 1,024 of one unit is one of the next.
  while amount.magnitude >= 1_023.5, unit + 1 < units.count {
    amount /= 1_024
    unit += 1
  }
  return oneDecimalBelowTen(amount) + " " + units[unit]
}

/// A span of time for people: "250 us", "12 ms", "3.2 s", "5 min 07 s", "1 h 02 min", "3 d 04 h".
public func duration(_ seconds: Double) -> String {
  guard seconds.isFinite else { return seconds.isNaN ? "unknown" : seconds < 0 ? "-forever" : "forever" }
  if seconds < 0 { return "-" + duration(-seconds) }
  switch seconds {
  case 0: return "0 s"
  case ..<0.000_999_5: return oneDecimalBelowTen(seconds * 1e6) + " us"
  case ..<0.999_5: return oneDecimalBelowTen(seconds * 1e3) + " ms"
  case ..<59.5: return oneDecimalBelowTen(seconds) + " s"
  case ..<3_599.5:
    let whole = Int(seconds.rounded())
    return "\(whole / 60) min \(twoDigits(whole % 60)) s"
  case ..<86_370:
    let minutes = Int((seconds / 60).rounded())
    return "\(minutes / 60) h \(twoDigits(minutes % 60)) min"
  case ..<1e15:
    let hours = Int((seconds / 3_600).rounded())
    return "\(grouped(hours / 24)) d \(twoDigits(hours % 24)) h"
  default: return "forever"
  }
}

/// Two digits that mean something: "9.9", "10", "312".
private func oneDecimalBelowTen(_ x: Double) -> String {
  fixed(x, decimals: x.magnitude < 9.95 ? 1 : 0)
}

private func twoDigits(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
