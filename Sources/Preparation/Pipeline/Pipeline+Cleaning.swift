// Everything that is decided row by row, before anything is fitted.
extension Pipeline {
  /// Cleans the rows of a block and decides which of them stay.
  ///
  /// - Parameters:
  ///   - block: rows of the table, in its order.
  ///   - history: the rows before them, at least `historyRows` unless the table begins there; nil where it does.
  ///   - tally: counts what is done.
  /// - Throws: `PreparationError` at the first row with a value that is missing or out of range where that is an error.
  public func clean(
    _ block: ColumnBlock, after history: ColumnBlock? = nil, for purpose: CleanBlock.Purpose = .learning,
    tally: inout CleaningTally
  ) throws(PreparationError) -> CleanBlock {
    precondition(
      block.columns.count == schema.columns.count, "\(block.columns.count) columns for \(schema.columns.count)")
    let before = historyRows > 0 ? history?.rows ?? 0 : 0
    var table = block.columns
    if before > 0, let history {
      table = zip(history.columns, block.columns).map { Column.joined($0, $1) }
    }
    for index in table.indices { try limit(&table[index], index, block, after: before, purpose, &tally) }
    let all = compute(table, rows: before + block.rows)
    let columns = before > 0 ? all.map { $0.dropping(before) } : all
    var kept = [Bool](repeating: true, count: block.rows)
    if purpose == .learning { filter(columns, &kept, &tally) }
    let clean = CleanBlock(block: block, columns: columns, kept: kept, purpose: purpose, targetColumn: targetColumn)
    return try settleMissing(clean, &tally)
  }

  /// The columns of the table and the derived ones.
  private func compute(_ table: [Column], rows: Int) -> [Column] {
    var values = table
    let schemas = columns.map(\.schema)
    for column in columns {
      guard case .derived(let expression) = column.origin else { continue }
      values.append(ExpressionEvaluator(rows: rows, columns: values, schemas: schemas).column(expression))
    }
    return values
  }

  /// Makes values out of range missing, or stops at the first.
  private func limit(
    _ values: inout Column, _ index: Int, _ block: ColumnBlock, after before: Int, _ purpose: CleanBlock.Purpose,
    _ tally: inout CleaningTally
  ) throws(PreparationError) {
    let recipe = columns[index].recipe
    guard recipe.minimum != nil || recipe.maximum != nil, case .numbers(var numbers) = values,
      purpose == .learning || index != targetColumn
    else { return }
    let least = recipe.minimum ?? -.infinity
    let most = recipe.maximum ?? .infinity
    for row in numbers.indices where numbers[row] < least || numbers[row] > most {
      // Rows before the block were judged with theirs.
      if row >= before {
        guard recipe.outOfRange == .missing else {
          throw block.error(
            row: row - before, column: index,
            "column \(quoted(recipe.name)): \(ClassIndex.name(numbers[row])) is \(numbers[row] < least ? "below" : "above") "
              + "the \(numbers[row] < least ? "minimum \(ClassIndex.name(least))" : "maximum \(ClassIndex.name(most))")",
            hint: "\"out_of_range\": \"missing\" in the recipe takes it for missing")
        }
        tally.outOfRange[index] += 1
      }
      numbers[row] = .nan
    }
    values = .numbers(numbers)
  }

  private func filter(_ columns: [Column], _ kept: inout [Bool], _ tally: inout CleaningTally) {
    let schemas = self.columns.map(\.schema)
    for (index, filter) in filters.enumerated() {
      let passes = ExpressionEvaluator(rows: kept.count, columns: columns, schemas: schemas).isTrue(filter)
      for row in kept.indices where kept[row] && !passes[row] {
        kept[row] = false
        tally.filtered[index] += 1
      }
    }
  }

  /// Leaves out the rows that lack a value of a column which asks for that; then none may be missing where that is an error.
  private func settleMissing(_ clean: CleanBlock, _ tally: inout CleaningTally) throws(PreparationError) -> CleanBlock {
    var clean = clean
    let wanted = columns.indices.filter {
      columns[$0].isFeature || $0 == targetColumn && clean.purpose == .learning
    }
    for index in wanted where columns[index].missing == .drop {
      let values = clean.columns[index]
      for row in clean.kept.indices where clean.kept[row] && values.isMissing(row) {
        clean.kept[row] = false
        tally.dropped[index] += 1
      }
    }
    var first: (row: Int, column: Int)?
    for index in wanted where columns[index].missing != .drop {
      let values = clean.columns[index]
      for row in clean.kept.indices where clean.kept[row] && values.isMissing(row) {
        guard columns[index].missing == .error else {
          tally.filled[index] += 1
          continue
        }
        if first == nil || row < first?.row ?? 0 { first = (row, index) }
        break
      }
    }
    if let first { throw missing(clean, first.row, first.column) }
    tally.count(rows: clean.rows, kept: clean.kept.reduce(0) { $0 + ($1 ? 1 : 0) })
    return clean
  }

  private func missing(_ clean: CleanBlock, _ row: Int, _ index: Int) -> PreparationError {
    let name = quoted(columns[index].name)
    guard case .derived(let expression) = columns[index].origin else {
      return clean.error(
        row: row, column: index, "column \(name) has no value here",
        hint: clean.purpose == .learning
          ? "--missing drop leaves such rows out; a recipe can fill them: see \"missing\"" : nil)
    }
    return clean.error(
      row: row, column: expression.columns.filter { $0 < schema.columns.count }.min(),
      "the derived column \(name) has no value here: something in it is missing or not finite",
      hint: "\"missing\" of the column in the recipe says what to do")
  }
}

extension Column {
  /// The values of one column, then those of another of the same type.
  static func joined(_ first: Column, _ second: Column) -> Column {
    switch (first, second) {
    case (.numbers(let a), .numbers(let b)): .numbers(a + b)
    case (.codes(let a), .codes(let b)): .codes(a + b)
    case (.texts(let a), .texts(let b)): .texts(a + b)
    default: preconditionFailure("blocks of one table with columns of different types")
    }
  }

  /// The values behind the first `count`.
  func dropping(_ count: Int) -> Column {
    switch self {
    case .numbers(let values): .numbers(Array(values.dropFirst(count)))
    case .codes(let values): .codes(Array(values.dropFirst(count)))
    case .texts(let values): .texts(Array(values.dropFirst(count)))
    }
  }
}
