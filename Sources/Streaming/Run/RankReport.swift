/// What a rank tells the others when they combine.
struct RankReport: Equatable {
  /// What a rank wants, or is.
  struct Flags: OptionSet {
    let rawValue: Int
    /// A signal asks the stream to end.
    static let stops = Flags(rawValue: 1)
    /// Its sources are at their end, and their rows are learned.
    static let hasEnded = Flags(rawValue: 2)
    /// A line of the log is due.
    static let logs = Flags(rawValue: 4)
    /// A checkpoint is due.
    static let saves = Flags(rawValue: 8)
    /// Rows of its sources wait for their classes to be known.
    static let meetsClasses = Flags(rawValue: 16)
  }

  var flags: Flags = []
  /// Rows learned since the last time.
  var rows = 0
  /// Their errors, each before the row was learned.
  var errors: [Double] = []
  /// Their losses with the model and with a fresh one beside it, where there is one.
  var oldLosses: [Double] = []
  var freshLosses: [Double] = []
  /// Features that have drifted.
  var columns: [Int] = []

  init() {}

  /// Drops what only detectors of drift want to know.
  mutating func keepRowsAlone() {
    let rows = rows
    self = Self()
    self.rows = rows
  }

  /// As numbers for a message: flags, counts, and what is counted.
  var encoded: [Double] {
    [
      Double(flags.rawValue), Double(rows), Double(errors.count), Double(oldLosses.count), Double(freshLosses.count),
      Double(columns.count),
    ] + errors + oldLosses + freshLosses + columns.map(Double.init)
  }

  init(encoded numbers: [Double]) {
    precondition(numbers.count >= 6, "a report of \(numbers.count) numbers")
    flags = Flags(rawValue: Int(numbers[0]))
    rows = Int(numbers[1])
    var place = 6
    func take(_ count: Double) -> [Double] {
      defer { place += Int(count) }
      return Array(numbers[place..<place + Int(count)])
    }
    errors = take(numbers[2])
    oldLosses = take(numbers[3])
    freshLosses = take(numbers[4])
    columns = take(numbers[5]).map { Int($0) }
  }
}
