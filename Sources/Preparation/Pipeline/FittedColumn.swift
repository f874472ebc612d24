/// What was fitted for one column: what its missing values become, and its transformations in their order.
struct FittedColumn: Equatable, Sendable {
  enum Fill: Equatable, Sendable {
    case number(Double)
    case text(String)
  }

  var fill: Fill?
  var transformations: [FittedTransformation] = []

  /// The names of the features of a column.
  func names(_ name: String) -> [String] { transformations.reduce([name]) { $1.names($0) } }
}

extension Pipeline.PlannedColumn {
  /// The numbers of a column for the given rows of a block, after its missing values have been filled and the transformations
  /// of `fitted` applied: a list for each number that a row has.
  ///
  /// - Throws: `PreparationError` at a category that the training rows lack where that is an error, or a logarithm that does
  ///   not exist.
  func numbers(
    _ clean: CleanBlock, _ index: Int, rows: [Int], _ fitted: FittedColumn
  ) throws(PreparationError) -> [[Double]] {
    var channels: [[Double]]
    var rest = fitted.transformations[...]
    switch clean.columns[index] {
    case .numbers(let values):
      let fill: Double = if case .number(let number) = fitted.fill { number } else { .nan }
      channels = [rows.map { values[$0].isNaN ? fill : values[$0] }]
    case .codes, .texts:
      guard let first = rest.popFirst() else { preconditionFailure("texts of '\(name)' without a transformation") }
      channels = try encode(first, clean, index, rows, fitted.fill)
    }
    for transformation in rest {
      channels = channels.enumerated().flatMap { transformation.apply($0.element, channel: $0.offset) }
      guard case .log(let offset) = transformation else { continue }
      for channel in channels {
        guard let place = channel.firstIndex(where: { $0.isNaN }) else { continue }
        throw clean.error(
          row: rows[place], column: textColumn,
          "column \(quoted(name)): there is no logarithm of this value\(offset == 0 ? "" : " plus \(ClassIndex.name(offset))")",
          hint: "\"clip\" before \"log\" bounds the values; \"log1p\" takes 0")
      }
    }
    return channels
  }

  /// The place in the table of the text that the column comes from.
  var textColumn: Int? {
    switch origin {
    case .table(let index): index
    case .derived(let expression): expression.columns.min()
    }
  }

  /// The numbers that the first transformation makes of texts.
  private func encode(
    _ transformation: FittedTransformation, _ clean: CleanBlock, _ index: Int, _ rows: [Int], _ fill: FittedColumn.Fill?
  ) throws(PreparationError) -> [[Double]] {
    let fillText: String? = if case .text(let text) = fill { text } else { nil }
    switch transformation {
    case .hashed(let buckets):
      var channels = [[Double]](repeating: [Double](repeating: 0, count: rows.count), count: buckets)
      let texts = texts(clean.columns[index], rows)
      for (place, text) in texts.enumerated() {
        guard let text = text ?? fillText else { continue }
        channels[FittedTransformation.bucket(of: text, buckets: buckets)][place] = 1
      }
      return channels
    case .oneHot(let categories, let dropFirst):
      let first = dropFirst ? 1 : 0
      let places = try places(of: categories, clean, index, rows, fillText)
      var channels = [[Double]](
        repeating: [Double](repeating: 0, count: rows.count), count: max(categories.count - first, 0))
      for (row, place) in places.enumerated() where place >= first { channels[place - first][row] = 1 }
      return channels
    case .ordinal(let categories):
      return [try places(of: categories, clean, index, rows, fillText).map { Double($0) }]
    case .log, .clip, .scale, .minMax, .dateParts, .polynomial:
      preconditionFailure("texts of '\(name)' where numbers are wanted")
    }
  }

  /// The texts of some rows; nil where they are missing.
  func texts(_ column: Column, _ rows: [Int]) -> [String?] {
    switch column {
    case .codes(let codes): rows.map { codes[$0] >= 0 ? schema.dictionary?[Int(codes[$0])] : nil }
    case .texts(let texts): rows.map { texts[$0] }
    case .numbers: preconditionFailure("numbers of '\(name)' where texts are wanted")
    }
  }

  /// For each row the place of its category among `categories`; -1 for one that is not there and ignored.
  private func places(
    of categories: [String], _ clean: CleanBlock, _ index: Int, _ rows: [Int], _ fillText: String?
  ) throws(PreparationError) -> [Int] {
    guard case .codes(let codes) = clean.columns[index] else {
      preconditionFailure("the column '\(name)' holds no categories")
    }
    let known = Dictionary(
      categories.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    let table = (schema.dictionary ?? []).map { known[$0] ?? -1 }
    let filled = fillText.flatMap { known[$0] } ?? -1
    var places: [Int] = []
    places.reserveCapacity(rows.count)
    for row in rows {
      let code = codes[row]
      var place = code >= 0 ? table[Int(code)] : (code == Column.missingCode ? filled : -1)
      if place < 0, code != Column.missingCode {
        switch unseen {
        case .ignore: break
        case .missing: place = filled
        case .error: throw unseenCategory(clean, row, code)
        }
      }
      places.append(place)
    }
    return places
  }

  private func unseenCategory(_ clean: CleanBlock, _ row: Int, _ code: Int32) -> PreparationError {
    var what = ""
    if code >= 0, let dictionary = schema.dictionary {
      what = " \(quoted(dictionary[Int(code)]))"
    } else if let text = textColumn.flatMap({ clean.block.text(row: row, column: $0) }) {
      what = " \(quoted(text))"
    }
    return clean.error(
      row: row, column: textColumn,
      "column \(quoted(name)): the category\(what) does not occur in the training rows",
      hint: "the recipe can take such categories for missing, or for none of the known ones: see \"unseen\"")
  }
}
