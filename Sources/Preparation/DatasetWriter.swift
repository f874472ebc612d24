/// The second pass over the inputs: sends every row to the shards of its split.
final class DatasetWriter {
  private var split: Split
  private let writers: [SplitWriter]
  /// Nil for a regression.
  private let classes: ClassIndex?
  /// Mean and spread of the training split, if they are wanted.
  private(set) var moments: ColumnMoments?
  private var rowsPerClass: [[Int]]
  private let names: [String]
  private var row: [Float]

  /// - Parameters:
  ///   - plans: one for each split that is written.
  ///   - directory: where the shards go.
  init(scan: TableScan, split: Split, plans: [ShardPlan], request: PreparationRequest, directory: String)
    throws(PreparationError)
  {
    self.split = split
    names = scan.names
    let columns = scan.names.count
    let classNames = scan.target.names
    classes = classNames.map { ClassIndex(names: $0) }
    moments = request.standardize ? ColumnMoments(columns: columns) : nil
    rowsPerClass = plans.map { _ in [Int](repeating: 0, count: classNames?.count ?? 0) }
    row = [Float](repeating: 0, count: columns)
    writers = plans.map {
      SplitWriter(
        plan: $0, columns: columns, hasClasses: classNames != nil, compress: request.compress, directory: directory)
    }
  }

  /// Writes the rows of a block that have all values.
  func append(_ reader: borrowing CSVReader, _ parser: RowParser) throws(PreparationError) {
    guard parser.selection.names == names else { throw Self.changed(reader.path) }
    // A span of a local array does not escape; this one is only lent.
    var row: [Float] = []
    swap(&row, &self.row)
    defer { swap(&row, &self.row) }
    for record in 0..<reader.block.records {
      var values = row.mutableSpan
      guard try parser.features(of: record, in: reader, into: &values, at: 0) == nil,
        try !parser.targetIsMissing(record, in: reader)
      else {
        continue
      }
      let label = try classes.map { (classes) throws(PreparationError) in
        try parser.targetClass(record, in: reader, of: classes)
      }
      guard let name = split.next(stratum: Int(label ?? 0)),
        let index = writers.firstIndex(where: { $0.plan.split == name })
      else { throw Self.changed(reader.path) }
      if let label {
        rowsPerClass[index][Int(label)] += 1
        try writers[index].append(row, target: Float(label))
      } else {
        try writers[index].append(row, target: try parser.targetValue(record, in: reader))
      }
      if name == .train { moments?.add(row.span, at: 0) }
    }
  }

  /// Completes all shards, also those that stay empty.
  func finish() throws(PreparationError) -> [PreparationSummary.SplitSummary] {
    var summaries: [PreparationSummary.SplitSummary] = []
    for (index, writer) in writers.enumerated() {
      try writer.finish()
      guard writer.rows == writer.plan.rows else { throw Self.changed("the input") }
      summaries.append(
        PreparationSummary.SplitSummary(
          name: writer.plan.split, rows: writer.rows, rowsPerClass: rowsPerClass[index],
          shards: (0..<writer.plan.shards).map { writer.plan.name($0) }))
    }
    return summaries
  }

  private static func changed(_ path: String) -> PreparationError {
    PreparationError(.io, "'\(path)' changed while it was read")
  }
}
