/// A set of rows as ascending ranges that do not touch.
struct RowRanges {
  private(set) var ranges: [Range<Int>] = []

  /// The parts of `range` that are not in the set, ascending.
  func gaps(in range: Range<Int>) -> [Range<Int>] {
    var gaps: [Range<Int>] = []
    var start = range.lowerBound
    for present in ranges where present.upperBound > start {
      if present.lowerBound >= range.upperBound { break }
      if present.lowerBound > start { gaps.append(start..<present.lowerBound) }
      start = present.upperBound
    }
    if start < range.upperBound { gaps.append(start..<range.upperBound) }
    return gaps
  }

  mutating func insert(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    var merged = range
    var kept: [Range<Int>] = []
    for present in ranges {
      if present.upperBound < merged.lowerBound || present.lowerBound > merged.upperBound {
        kept.append(present)
      } else {
        merged = min(merged.lowerBound, present.lowerBound)..<max(merged.upperBound, present.upperBound)
      }
    }
    let place = kept.firstIndex { $0.lowerBound > merged.lowerBound } ?? kept.count
    kept.insert(merged, at: place)
    ranges = kept
  }
}
