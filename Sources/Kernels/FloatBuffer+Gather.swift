import CRelaxed

extension FloatBuffer {
  /// Copies rows of `source` to this buffer, one behind the other from `row` on.
  ///
  /// Shapes: rows of `columns` elements here and there; `places[part]` are rows of `source`, in the wanted order.
  public mutating func gather(
    rows allPlaces: [Int32], _ part: Range<Int>, of source: borrowing FloatBuffer, columns: Int, to row: Int
  ) {
    let places = allPlaces.span.extracting(part)
    check(row * columns..<(row + places.count) * columns)
    guard columns > 0 else { return }
    let rows = source.count / columns
    // Rows in a random order: the processor cannot guess the next one, so it is told a few rows ahead.
    let ahead = 4
    let lines = min(columns / 16 + 1, 16)
    for index in 0..<places.count {
      if index + ahead < places.count {
        let next = unsafe source.base + Int(places[index + ahead]) * columns
        for line in 0..<lines { unsafe apus_prefetch(next + 16 * line) }
      }
      let place = Int(places[index])
      precondition(place >= 0 && place < rows, "row \(place) of \(rows)")
      let from = unsafe source.base + place * columns
      let to = unsafe base + (row + index) * columns
      // A call of memcpy for every row costs more than a short row.
      if columns < 32 {
        for column in 0..<columns { unsafe to[column] = from[column] }
      } else {
        unsafe to.update(from: from, count: columns)
      }
    }
  }

  /// Copies rows of `source`, which lie one behind the other, to rows of this buffer.
  ///
  /// Shapes: rows of `columns` elements here and there; `places[part]` are rows here, one for each of `rows`.
  public mutating func scatter(
    _ source: borrowing FloatBuffer, rows: Range<Int>, columns: Int, to allPlaces: [Int32], _ part: Range<Int>
  ) {
    let places = allPlaces.span.extracting(part)
    precondition(places.count == rows.count, "\(rows.count) rows to \(places.count) places")
    source.check(rows.lowerBound * columns..<rows.upperBound * columns)
    guard columns > 0 else { return }
    let room = count / columns
    for index in 0..<places.count {
      let place = Int(places[index])
      precondition(place >= 0 && place < room, "row \(place) of \(room)")
      let from = unsafe source.base + (rows.lowerBound + index) * columns
      let to = unsafe base + place * columns
      // As in `gather`.
      if columns < 32 {
        for column in 0..<columns { unsafe to[column] = from[column] }
      } else {
        unsafe to.update(from: from, count: columns)
      }
    }
  }
}
