/// What part each rank has in the rows that are learned, of late: by it the ranks weigh what each has learned.
///
/// Those who go on without waiting for each other do not know how many rows the others are learning; what they told of late says that.
struct RowShares: Equatable {
  /// Times the rows of a first guess that are remembered.
  private static let memory = 8.0

  private let horizon: Double
  private var recent: [Double]

  /// - Parameter rows: that a rank learns between two times at which it tells the others: a first guess, the same for all.
  init(ranks: Int, rows: Int) {
    recent = [Double](repeating: Double(rows), count: ranks)
    horizon = Self.memory * Double(rows) * Double(ranks)
  }

  /// A rank has learned rows.
  mutating func note(_ rank: Int, rows: Int) {
    let factor = horizon / (horizon + Double(rows))
    for other in recent.indices { recent[other] *= factor }
    recent[rank] += Double(rows)
  }

  /// 0 to 1; those of all ranks together are 1.
  func share(of rank: Int) -> Double { recent[rank] / recent.reduce(0, +) }
}
