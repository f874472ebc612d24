/// What the first pass over the inputs finds: every row is read and checked before anything is written.
struct TableScan {
  /// The features.
  var names: [String] = []
  /// Rows with all values.
  var rows = 0
  /// Rows that are left out, by the first feature they lack a value of; the last entry counts those without a target.
  var dropped: [Int] = []
  var target: TargetPlan = .values
  var decision = ""

  /// - Throws: `PreparationError` for the first row that is malformed, or if no row is left.
  init(_ tables: InputTables, task: TargetTask, progress: (PreparationProgress) -> Void) throws(PreparationError) {
    var scan = TargetScan(column: tables.target)
    var row: [Float] = []
    var dropped: [Int] = []
    var rows = 0
    names = try tables.read(.checking, progress: progress) {
      (reader, parser) throws(PreparationError) in
      let columns = parser.selection.features.count
      if row.isEmpty {
        row = [Float](repeating: 0, count: columns)
        dropped = [Int](repeating: 0, count: columns + 1)
      }
      var values = row.mutableSpan
      for record in 0..<reader.block.records {
        if let lacking = try parser.features(of: record, in: reader, into: &values, at: 0) {
          dropped[lacking] += 1
        } else if try parser.targetIsMissing(record, in: reader) {
          dropped[columns] += 1
        } else if let target = parser.selection.target {
          try scan.observe(reader.block[record, target], record: record, in: reader)
          rows += 1
        }
      }
    }
    self.rows = rows
    self.dropped = dropped
    guard rows > 0 else {
      let place = PreparationError.Place(path: tables.paths[0], line: 1, column: 1)
      let count = dropped.reduce(0, +)
      throw PreparationError(
        .invalid, at: place,
        count == 0 ? "there is no row below the header" : "every one of the \(count) rows lacks a value")
    }
    (target, decision) = try scan.decide(task)
  }

  /// How many rows each stratum of the split has.
  var strata: [Int] {
    switch target {
    case .values: [rows]
    case .classes(_, let rows): rows
    }
  }
}
