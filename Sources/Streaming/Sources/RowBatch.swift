import Kernels

/// Rows that have arrived and are not learned yet, with the moment at which each of them did.
struct RowBatch: ~Copyable {
  let columns: Int
  let capacity: Int
  /// Rows × columns.
  private(set) var features: FloatBuffer
  /// One a row: a number, or the number of a class.
  private(set) var targets: FloatBuffer
  private(set) var rows = 0
  /// When each row arrived, at the latest; the last look of a source at which it was not there yet is earlier.
  private(set) var arrivals: [ContinuousClock.Instant] = []
  /// The number of each row, as ``RowNumbers`` gives it; empty where nobody wants to know them.
  private(set) var numbers: [Int] = []
  private let keepsNumbers: Bool
  /// Rows that brought their classes, and what each was taken for.
  private(set) var newcomers: [(row: Int, predicted: Int)] = []

  init(columns: Int, capacity: Int, keepsNumbers: Bool = false) {
    self.keepsNumbers = keepsNumbers
    self.columns = columns
    self.capacity = capacity
    features = FloatBuffer(count: capacity * columns)
    targets = FloatBuffer(count: capacity)
    arrivals.reserveCapacity(capacity)
    if keepsNumbers { numbers.reserveCapacity(capacity) }
  }

  var room: Int { capacity - rows }

  /// Offers the place of the next row to `body`, which fills it in.
  mutating func fill<Result>(
    _ body: (inout MutableSpan<Float>, Int, inout Float, inout Double) throws -> Result
  ) rethrows -> (Result, time: Double) {
    precondition(rows < capacity, "a batch of \(capacity) rows is full")
    var (target, time) = (Float(0), 0.0)
    let place = rows * columns
    var span = features.mutableSpan
    let result = try body(&span, place, &target, &time)
    targets[rows] = target
    return (result, time)
  }

  /// The target that was filled in last.
  var nextTarget: Float {
    get { targets[rows] }
    set { targets[rows] = newValue }
  }

  /// The features that were filled in last.
  var nextFeatures: [Float] { features.values(in: rows * columns..<(rows + 1) * columns) }

  /// A feature that was filled in last.
  func nextFeature(_ column: Int) -> Float { features[rows * columns + column] }

  /// Whether all features that were filled in last are finite.
  var isNextFinite: Bool { Elementwise.isFinite(features, rows * columns..<(rows + 1) * columns) }

  /// The features of a row, and behind them its target.
  func values(ofRow row: Int) -> [Float] {
    precondition(row < rows, "row \(row) of \(rows)")
    var values: [Float] = []
    values.reserveCapacity(columns + 1)
    for place in row * columns..<(row + 1) * columns { values.append(features[place]) }
    values.append(targets[row])
    return values
  }

  /// Takes the row that was filled in last.
  mutating func take(arrived: ContinuousClock.Instant, number: Int) {
    arrivals.append(arrived)
    if keepsNumbers { numbers.append(number) }
    rows += 1
  }

  /// Takes a row whose class is known by now.
  /// - Parameters:
  ///   - target: the number of its class.
  ///   - number: that of the row.
  mutating func take(_ newcomer: Newcomer, target: Int, number: Int) {
    precondition(rows < capacity, "a batch of \(capacity) rows is full")
    features.copy(from: newcomer.features, at: rows * columns)
    nextTarget = Float(target)
    newcomers.append((rows, newcomer.predicted ?? target))
    take(arrived: newcomer.arrived, number: number)
  }

  /// Takes rows of another buffer if nothing is wrong with any of them: all numbers finite (of the features unless `allowsMissing`), and
  /// where there are classes, each target one.
  /// - Parameter number: gives that of each of them, from 0 on.
  mutating func take(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, _ range: Range<Int>, classes: Int?,
    allowsMissing: Bool, arrived: ContinuousClock.Instant, number: (Int) -> Int
  ) -> Bool {
    precondition(range.count <= room, "\(range.count) rows into room for \(room)")
    self.features.copy(
      from: features, range: range.lowerBound * columns..<range.upperBound * columns, to: rows * columns)
    self.targets.copy(from: targets, range: range, to: rows)
    guard allowsMissing || Elementwise.isFinite(self.features, rows * columns..<(rows + range.count) * columns),
      Elementwise.isFinite(self.targets, rows..<rows + range.count)
    else { return false }
    if let classes {
      for row in rows..<rows + range.count where !Self.isClass(self.targets[row], of: classes) { return false }
    }
    for _ in range { arrivals.append(arrived) }
    if keepsNumbers { for row in 0..<range.count { numbers.append(number(row)) } }
    rows += range.count
    return true
  }

  /// Whether `target` is the number of one of `classes` classes.
  static func isClass(_ target: Float, of classes: Int) -> Bool {
    target >= 0 && target < Float(classes) && target == target.rounded(.down)
  }

  mutating func removeAll() {
    rows = 0
    arrivals.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
    newcomers.removeAll()
  }

  /// Takes out the first `count` rows, which have been learned.
  mutating func removeFirst(_ count: Int) {
    guard count < rows else { return removeAll() }
    features.move(range: count * columns..<rows * columns, to: 0)
    targets.move(range: count..<rows, to: 0)
    arrivals.removeFirst(count)
    if keepsNumbers { numbers.removeFirst(count) }
    newcomers = newcomers.filter { $0.row >= count }.map { ($0.row - count, $0.predicted) }
    rows -= count
  }
}
