/// The inputs of a preparation, read one after the other as one table.
struct InputTables {
  let paths: [String]
  let delimiter: UInt8?
  let target: String
  let missing: MissingPolicy
  let totalBytes: Int

  /// - Throws: `PreparationError` if an input is not there or cannot be read.
  init(_ request: PreparationRequest) throws(PreparationError) {
    paths = request.inputs
    delimiter = request.delimiter
    target = request.target
    missing = request.missing
    var total = 0
    // Found before anything is read: the last of many files may be mistyped.
    for path in paths { total += try CSVSource.open(path).size() }
    totalBytes = total
  }

  /// Reads all records of all inputs.
  ///
  /// - Parameters:
  ///   - body: receives the reader with a block of records, and what to make numbers of them with.
  /// - Returns: the names of the features.
  /// - Throws: `PreparationError` if an input is malformed, or has other columns than the first.
  @discardableResult
  func read(
    _ phase: PreparationProgress.Phase, progress: (PreparationProgress) -> Void,
    _ body: (borrowing CSVReader, RowParser) throws(PreparationError) -> Void
  ) throws(PreparationError) -> [String] {
    var first: ColumnSelection?
    var rows = 0
    var bytesBefore = 0
    for path in paths {
      var reader = try CSVReader(CSVSource.open(path), path: path, delimiter: delimiter)
      let selection: ColumnSelection
      if let first {
        try checkColumns(of: reader, against: first)
        selection = try ColumnSelection(header: reader.header, path: path, names: first.names, target: target)
      } else {
        selection = try ColumnSelection(header: reader.header, path: path, target: target)
        first = selection
      }
      let parser = RowParser(selection: selection, missing: missing)
      while try reader.next() {
        try body(reader, parser)
        rows += reader.block.records
        progress(
          PreparationProgress(
            phase: phase, bytes: bytesBefore + reader.bytesRead, totalBytes: totalBytes, rows: rows))
      }
      bytesBefore += reader.bytesRead
    }
    return first?.names ?? []
  }

  /// A column too many would be dropped in silence; one too few is found when it is looked for.
  private func checkColumns(of reader: borrowing CSVReader, against first: ColumnSelection) throws(PreparationError) {
    let known = Set(first.names + [target])
    for column in reader.header where !known.contains(column.name) {
      throw PreparationError(
        .invalid, at: column.place, "column \(quoted(column.name)) is not in '\(paths[0])'",
        hint: "all files need the same columns")
    }
  }
}
