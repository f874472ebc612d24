/// The place of an entry in a stream of Redis: milliseconds and a number within them, as "1526919030474-55".
struct EntryID: Comparable, Sendable, CustomStringConvertible {
  var milliseconds: UInt64
  var number: UInt64

  /// Before every entry.
  static let zero = EntryID(milliseconds: 0, number: 0)

  init(milliseconds: UInt64, number: UInt64) {
    self.milliseconds = milliseconds
    self.number = number
  }

  /// Nil where `text` is no such place.
  init?(_ text: String) {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    guard halves.count == 2, let milliseconds = UInt64(halves[0]), let number = UInt64(halves[1]) else { return nil }
    self.init(milliseconds: milliseconds, number: number)
  }

  var description: String { "\(milliseconds)-\(number)" }

  static func < (a: EntryID, b: EntryID) -> Bool { (a.milliseconds, a.number) < (b.milliseconds, b.number) }
}
