/// Which rows form which step: a pure function of the number of rows and the job.
public struct TrainingPlan: Equatable, Sendable {
  /// The place of a step: positions of an epoch's order of all rows.
  public struct Step: Equatable, Sendable {
    /// Counted from 0 over the whole training.
    public let index: Int
    /// Counted from 0.
    public let epoch: Int
    public let positions: Range<Int>
    /// No step of the same epoch follows.
    public let endsEpoch: Bool
  }

  public let rows: Int
  /// Rows of every batch but the last of an epoch.
  public let batchRows: Int
  public let stepsPerEpoch: Int
  public let totalSteps: Int

  /// - Parameter rows: the rows of the data set, at least one.
  public init(rows: Int, job: TrainingJob) {
    precondition(rows > 0, "a plan over \(rows) rows")
    self.rows = rows
    batchRows = job.batchRows(of: rows)
    stepsPerEpoch = (rows - 1) / batchRows + 1
    totalSteps =
      switch job.length {
      case .steps(let steps): steps
      case .epochs(let epochs):
        stepsPerEpoch.multipliedReportingOverflow(by: epochs).overflow ? Int.max : stepsPerEpoch * epochs
      }
  }

  /// The step at `index`, counted from 0.
  public func step(_ index: Int) -> Step {
    let within = index % stepsPerEpoch
    let start = within * batchRows
    return Step(
      index: index, epoch: index / stepsPerEpoch, positions: start..<min(start + batchRows, rows),
      endsEpoch: within == stepsPerEpoch - 1)
  }
}

extension TrainingJob {
  /// Rows of a batch of a data set of `rows` rows.
  public func batchRows(of rows: Int) -> Int {
    switch batchSize {
    case .full: rows
    case .rows(let count): min(count, rows)
    }
  }
}
