/// How the rows of a virtual rank, or of several, are cut into passes through the model: alike in every layout, since sums over the rows
/// of other passes have other bits.
public struct MicroBatches: Equatable, Sendable {
  /// Rows that go through the model in one pass at most, so that activations stay small however large the batch is.
  public static let rowsPerPass = 1024

  /// Parts that the share of each virtual rank is cut into.
  public let count: Int

  public init(count: Int) {
    precondition(count > 0, "\(count) micro-batches")
    self.count = count
  }

  /// Cuts `shares` into micro-batches, and these into passes of at most `rowsPerPass` rows in all. A pass has as many ranges as there
  /// are shares, and at least one row.
  func passes(of shares: ShortList<Range<Int>>) -> ShortList<ShortList<Range<Int>>> {
    let rows = shares.reduce(0) { $0 + $1.count }
    guard rows > 0 else { return ShortList([]) }
    if count == 1, rows <= Self.rowsPerPass { return ShortList(shares) }
    return ShortList(parts(of: Array(shares)).flatMap(Self.filled).map { ShortList($0) })
  }

  /// The most rows that a pass can have where no share has more than `share` rows and `shares` go together.
  public func mostRows(share: Int, shares: Int = 1) -> Int {
    let part = share / count + (share.isMultiple(of: count) ? 0 : 1)
    let (rows, isTooLarge) = part.multipliedReportingOverflow(by: shares)
    return isTooLarge ? Self.rowsPerPass : min(rows, Self.rowsPerPass)
  }

  /// Cuts each of `ranges` into `count` parts as even as can be; parts without a row are left out.
  private func parts(of ranges: [Range<Int>]) -> [[Range<Int>]] {
    // More parts than rows would be empty ones.
    let count = min(count, ranges.map(\.count).max() ?? 0)
    return (0..<count).map { part in
      ranges.map { range in
        range.lowerBound + range.count * part / count..<range.lowerBound + range.count * (part + 1) / count
      }
    }.filter { !$0.allSatisfy(\.isEmpty) }
  }

  /// Fills passes of `rowsPerPass` rows, the last with what is left, from `ranges` in their order. (Parts of each range would not do:
  /// rounded up, the parts of many ranges are more rows than a pass may have.)
  private static func filled(_ ranges: [Range<Int>]) -> [[Range<Int>]] {
    let empty = ranges.map { $0.lowerBound..<$0.lowerBound }
    var passes: [[Range<Int>]] = []
    var pass = empty
    var room = rowsPerPass
    for (index, range) in ranges.enumerated() {
      var start = range.lowerBound
      while start < range.upperBound {
        let end = min(range.upperBound, start + room)
        pass[index] = start..<end
        room -= end - start
        start = end
        guard room == 0 else { continue }
        passes.append(pass)
        pass = empty
        room = rowsPerPass
      }
    }
    return room < rowsPerPass ? passes + [pass] : passes
  }
}
