/// Rows of buffers, in any order: those that places name, or some that lie one behind the other.
///
/// A selection knows no columns: it names the same rows of features and of targets.
public struct RowSelection: Sendable {
  /// How many rows.
  public let count: Int
  /// The first row where they lie one behind the other, else where in `places` the first one is named.
  let first: Int
  /// The rows, where they do not lie one behind the other.
  let places: [Int32]?

  /// The first row where they lie one behind the other; nil where they lie apart.
  public var firstOfRun: Int? { places == nil ? first : nil }

  /// Rows that are named, these and those behind them.
  var named: Int { places.map { $0.count - first } ?? count }

  /// `count` rows from `first` on.
  public init(first: Int, count: Int) {
    precondition(first >= 0 && count >= 0, "\(count) rows from \(first) on")
    (self.first, self.count, places) = (first, count, nil)
  }

  /// The rows that the elements of `places` in `part` name, in that order.
  public init(places: [Int32], _ part: Range<Int>) {
    precondition(part.lowerBound >= 0 && part.upperBound <= places.count, "places \(part) of \(places.count)")
    (first, count, self.places) = (part.lowerBound, part.count, places)
  }

  /// The rows of `view`, which is some of a buffer of rows with as many columns.
  public init(_ view: MatrixView) {
    precondition(
      view.isContiguous && view.offset.isMultiple(of: max(view.columns, 1)), "a view at \(view.offset), no whole rows")
    self.init(first: view.offset / max(view.columns, 1), count: view.rows)
  }

  /// Some of these rows, by their number in this selection.
  public func rows(_ range: Range<Int>) -> RowSelection {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "rows \(range) of \(count)")
    return RowSelection(first: first + range.lowerBound, count: range.count, places: places)
  }

  private init(first: Int, count: Int, places: [Int32]?) {
    (self.first, self.count, self.places) = (first, count, places)
  }

  /// Stops the program unless all rows of `part` are among the first `rows`: our bug.
  @inline(__always)
  func check(_ part: Range<Int>, within rows: Int) {
    precondition(part.lowerBound >= 0 && part.upperBound <= count, "rows \(part) of \(count)")
    guard let places else {
      precondition(first + part.upperBound <= rows, "\(part.count) rows from \(first + part.lowerBound) on, of \(rows)")
      return
    }
    places.span.extracting(first + part.lowerBound..<first + part.upperBound).check(within: rows)
  }

  /// Calls `body` with the places from row `start` of this selection on, or nil where the rows lie one behind the other, and the first row then.
  @inline(__always)
  func withPlaces<Result>(from start: Int = 0, _ body: (UnsafePointer<Int32>?, _ first: Int) -> Result) -> Result {
    guard let places else { return body(nil, first + start) }
    return unsafe places.withUnsafeBufferPointer { unsafe body($0.baseAddress.map { unsafe $0 + first + start }, 0) }
  }
}

extension FloatBuffer {
  /// Copies the rows of `source`, of `columns` elements each, that `part` of `rows` names (all without one) to the start of this buffer, one
  /// behind the other.
  public mutating func gather(
    _ rows: RowSelection, _ part: Range<Int>? = nil, of source: borrowing FloatBuffer, columns: Int
  ) {
    let part = part ?? 0..<rows.count
    if columns == 1 {
      rows.check(part, within: source.count)
      check(offset: 0, count: part.count)
      let (from, to) = unsafe (source.base, base)
      unsafe rows.withPlaces(from: part.lowerBound) { places, first in
        if let places = unsafe places {
          for index in 0..<part.count { unsafe to[index] = from[Int(places[index])] }
        } else {
          unsafe to.update(from: from + first, count: part.count)
        }
      }
      return
    }
    let range = rows.first + part.lowerBound..<rows.first + part.upperBound
    if let places = rows.places {
      gather(rows: places, range, of: source, columns: columns, to: 0)
    } else {
      copy(from: source, range: range.lowerBound * columns..<range.upperBound * columns)
    }
  }
}
