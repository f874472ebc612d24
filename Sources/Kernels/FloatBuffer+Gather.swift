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
}
