import Kernels

enum Gather {
  /// Copies rows of `columns` values that lie in `source` at the places in `part`, in that order, to `destination` from row
  /// `row` on.
  static func rows(
    of source: borrowing FloatBuffer, at allPlaces: [Int32], _ part: Range<Int>, columns: Int,
    into destination: inout FloatBuffer, row: Int
  ) {
    let places = allPlaces.span.extracting(part)
    switch columns {
    case 0: break
    case 1: values(of: source.span, at: places, into: &destination, from: row)
    default:
      for index in 0..<places.count {
        let start = Int(places[index]) * columns
        destination.copy(from: source, range: start..<start + columns, to: (row + index) * columns)
      }
    }
  }

  /// A call for every value would cost more than the value.
  private static func values(
    of source: Span<Float>, at places: Span<Int32>, into destination: inout FloatBuffer, from first: Int
  ) {
    var target = destination.mutableSpan
    for index in 0..<places.count { target[first + index] = source[Int(places[index])] }
  }
}
