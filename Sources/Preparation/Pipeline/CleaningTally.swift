internal import Data

/// How many rows and values cleaning changed, and why. Tallies of different rows add up, in any order.
public struct CleaningTally: Equatable, Sendable {
  /// All rows that were looked at, and those that stayed.
  public private(set) var rows = 0
  public private(set) var kept = 0
  /// Rows that each filter was the first to leave out.
  public internal(set) var filtered: [Int]
  /// Rows that were left out for want of a value of a column (of the pipeline), the first of each row.
  public internal(set) var dropped: [Int]
  /// Values of a column that were missing in rows that stayed, and were filled.
  public internal(set) var filled: [Int]
  /// Values of a column that were out of range and taken for missing.
  public internal(set) var outOfRange: [Int]

  public init(_ pipeline: Pipeline) {
    filtered = [Int](repeating: 0, count: pipeline.filters.count)
    dropped = [Int](repeating: 0, count: pipeline.columns.count)
    filled = dropped
    outOfRange = dropped
  }

  mutating func count(rows: Int, kept: Int) {
    self.rows += rows
    self.kept += kept
  }

  public mutating func merge(_ other: CleaningTally) { add(other.numbers) }

  /// All counts in one list, for ranks to add up, and back.
  public var numbers: [Int] { [rows, kept] + filtered + dropped + filled + outOfRange }

  /// Adds the `numbers` of a tally of the same pipeline.
  public mutating func add(_ numbers: [Int]) {
    precondition(numbers.count == self.numbers.count, "\(numbers.count) counts for \(self.numbers.count)")
    rows += numbers[0]
    kept += numbers[1]
    var next = 2
    func add(to counts: inout [Int]) {
      for index in counts.indices {
        counts[index] += numbers[next]
        next += 1
      }
    }
    add(to: &filtered)
    add(to: &dropped)
    add(to: &filled)
    add(to: &outOfRange)
  }
}

extension Pipeline {
  /// What was left out, filled and taken for missing, a line each, for people.
  public func summary(_ tally: CleaningTally) -> [(count: Int, what: String)] {
    var lines: [(count: Int, what: String)] = []
    for (index, count) in tally.filtered.enumerated() where count > 0 {
      lines.append((count, "rows left out by the filter \(quoted(recipe.filters[index].expression.text))"))
    }
    for (index, count) in tally.dropped.enumerated() where count > 0 {
      lines.append((count, "rows left out for want of \(quoted(columns[index].name))"))
    }
    for (index, count) in tally.outOfRange.enumerated() where count > 0 {
      lines.append((count, "values of \(quoted(columns[index].name)) out of range and taken for missing"))
    }
    for (index, count) in tally.filled.enumerated() where count > 0 {
      lines.append((count, "values of \(quoted(columns[index].name)) filled with the \(columns[index].fillWords)"))
    }
    return lines
  }
}

extension Pipeline.PlannedColumn {
  /// What missing values are filled with, in words.
  var fillWords: String {
    switch missing {
    case .error, .drop: "nothing"
    case .mean: "mean"
    case .median: "median"
    case .mostFrequent: "most frequent value"
    case .number(let number): "constant \(ClassIndex.name(number))"
    case .text(let text): "constant \(quoted(text))"
    }
  }
}
