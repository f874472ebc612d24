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
    let rows = source.count / columns
    let ahead = Self.rowsAhead(columns)
    for index in 0..<places.count {
      if index + ahead < places.count {
        unsafe apus_prefetch_row(source.base + (first + Int(places[index + ahead])) * columns, columns)
      }
      let place = first + Int(places[index])
      precondition(place >= 0 && place < rows, "row \(place) of \(rows)")
      unsafe Self.copyRow(to: base + (row + index) * columns, from: source.base + place * columns, columns)
    }
  }

  /// Rows in a random order: the processor cannot guess the next one, so it is told some rows ahead; the shorter they are the more, since
  /// each takes less time.
  private static func rowsAhead(_ columns: Int) -> Int { columns <= 128 ? 16 : 4 }

  @inline(__always)
  private static func copyRow(to: UnsafeMutablePointer<Float>, from: UnsafeMutablePointer<Float>, _ columns: Int) {
    // A call of memcpy for every row costs more than a short row.
    if columns == 1 {
      unsafe to.pointee = from.pointee
    } else if columns <= 128 {
      unsafe apus_copy_row(to, from, columns)
    } else {
      unsafe to.update(from: from, count: columns)
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
    let ahead = Self.rowsAhead(columns)
    for index in 0..<places.count {
      if index + ahead < places.count {
        unsafe apus_prefetch_row_write(base + Int(places[index + ahead]) * columns, columns)
      }
      let place = Int(places[index])
      precondition(place >= 0 && place < room, "row \(place) of \(room)")
      unsafe Self.copyRow(
        to: base + place * columns, from: source.base + (rows.lowerBound + index) * columns, columns)
    }
  }
}
