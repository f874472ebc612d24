internal import Data

/// One pass over the training rows: what a rank, or a block, has seen of them.
///
/// Passes over different rows merge in any order, to the same bits.
public struct FittingPass: Sendable {
  private let pipeline: Pipeline
  private let columns: [FittedColumn]
  var estimates: [Estimate]

  init(pipeline: Pipeline, columns: [FittedColumn], estimates: [Estimate]) {
    self.pipeline = pipeline
    self.columns = columns
    self.estimates = estimates
  }

  /// Looks at the rows of a block that stay and belong to the training split.
  ///
  /// - Parameter training: for each row of the block whether it does.
  /// - Throws: `PreparationError` at a value that cannot be transformed.
  public mutating func observe(_ clean: CleanBlock, training: [Bool]) throws(PreparationError) {
    precondition(training.count == clean.rows, "\(training.count) flags for \(clean.rows) rows")
    let rows = clean.kept.indices.filter { clean.kept[$0] && training[$0] }
    for index in estimates.indices {
      var estimate = Estimate.nothing
      swap(&estimate, &estimates[index])
      defer { swap(&estimate, &estimates[index]) }
      let column = pipeline.columns[index]
      switch estimate {
      case .nothing: break
      case .moments(var moments):
        estimate = .nothing
        for (channel, values) in try column.numbers(clean, index, rows: rows, columns[index]).enumerated() {
          for value in values where value.isFinite { moments[channel].add(value) }
        }
        estimate = .moments(moments)
      case .quantiles(var searches):
        estimate = .nothing
        for (channel, values) in try column.numbers(clean, index, rows: rows, columns[index]).enumerated() {
          for value in values where value.isFinite { searches[channel].add(value) }
        }
        estimate = .quantiles(searches)
      case .counts(var counts):
        estimate = .nothing
        column.count(clean.columns[index], rows, columns[index].fill, into: &counts)
        estimate = .counts(counts)
      }
    }
  }

  public mutating func merge(_ other: FittingPass) {
    for index in estimates.indices { estimates[index].merge(other.estimates[index]) }
  }

  /// What was seen, for other ranks.
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    for estimate in estimates { estimate.write(to: &writer) }
    return writer.bytes
  }

  /// Adds what another rank saw in the same pass.
  /// - Throws: `PreparationError` if the bytes are no such pass.
  public mutating func merge(encoded bytes: [UInt8]) throws(PreparationError) {
    do throws(DataError) {
      var reader = ByteReader(bytes)
      for index in estimates.indices { try estimates[index].merge(from: &reader) }
      try reader.finish()
    } catch {
      throw PreparationError(error)
    }
  }
}

extension Pipeline.PlannedColumn {
  /// Counts the values of some rows, with missing ones filled where that is known.
  func count(_ column: Column, _ rows: [Int], _ fill: FittedColumn.Fill?, into counts: inout ValueCounts) {
    let fillText: String? = if case .text(let text) = fill { text } else { nil }
    switch column {
    case .numbers(let values):
      for row in rows where values[row].isFinite { counts.add(values[row]) }
    case .texts(let texts):
      for row in rows { if let text = texts[row] ?? fillText { counts.add(text) } }
    case .codes(let codes):
      let dictionary = schema.dictionary ?? []
      var perCode = [Int](repeating: 0, count: dictionary.count)
      var missing = 0
      for row in rows {
        if codes[row] >= 0 { perCode[Int(codes[row])] += 1 } else { missing += 1 }
      }
      for (code, count) in perCode.enumerated() where count > 0 { counts.add(dictionary[code], count) }
      if let fillText, missing > 0 { counts.add(fillText, missing) }
    }
  }
}
