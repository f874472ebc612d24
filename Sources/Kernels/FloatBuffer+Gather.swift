import CRelaxed
import CTiles

extension FloatBuffer {
  /// Copies rows of `source` to this buffer, one behind the other from `row` on.
  ///
  /// Shapes: rows of `columns` elements here and there; `places[part]` are rows of `source`, counted from its row `first`, in the wanted
  /// order.
  public mutating func gather(
    rows allPlaces: [Int32], _ part: Range<Int>, of source: borrowing FloatBuffer, from first: Int = 0, columns: Int,
    to row: Int
  ) {
    let places = allPlaces.span.extracting(part)
    check(row * columns..<(row + places.count) * columns)
    guard columns > 0 else { return }
    precondition(first >= 0 && first <= source.count / columns, "rows from \(first) on of \(source.count / columns)")
    places.check(within: source.count / columns - first)
    unsafe Self.copyRows(
      to: base + row * columns, from: source.base + first * columns, columns, places, scatters: false)
  }

  /// Copies rows of `source`, which lie one behind the other, to rows of this buffer.
  ///
  /// Shapes: rows of `columns` elements here and there; `places[part]` are rows here, one for each of `rows`.
  /// - Returns: whether every element copied is a finite number.
  public mutating func scatter(
    _ source: borrowing FloatBuffer, rows: Range<Int>, columns: Int, to allPlaces: [Int32], _ part: Range<Int>
  ) -> Bool {
    let places = allPlaces.span.extracting(part)
    precondition(places.count == rows.count, "\(rows.count) rows to \(places.count) places")
    source.check(rows.lowerBound * columns..<rows.upperBound * columns)
    guard columns > 0 else { return true }
    places.check(within: count / columns)
    return unsafe Self.copyRows(
      to: base, from: source.base + rows.lowerBound * columns, columns, places, scatters: true)
  }

  /// Rows in turn to those that `places` names, or the other way round; all places are in range.
  /// - Returns: false where it scatters and meets a number that is not finite.
  @discardableResult
  private static func copyRows(
    to: UnsafeMutablePointer<Float>, from: UnsafeMutablePointer<Float>, _ columns: Int, _ places: Span<Int32>,
    scatters: Bool
  ) -> Bool {
    unsafe places.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return true }
      return unsafe apus_copy_rows($0.count, columns, to, from, base, scatters ? 1 : 0) == 0
    }
  }
}

extension Span<Int32> {
  /// Stops the program unless all places are among the first `rows`: our bug.
  @inline(__always)
  func check(within rows: Int) {
    var most: UInt32 = 0
    // A negative place is a large one.
    for index in indices { most = Swift.max(most, UInt32(bitPattern: self[index])) }
    precondition(isEmpty || Int(most) < rows, "row \(most) of \(rows)")
  }
}
