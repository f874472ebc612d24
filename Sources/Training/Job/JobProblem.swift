/// One thing that is wrong with a job file.
public struct JobProblem: Equatable, Sendable {
  /// Where it stands, counted from 1; nil for a key that is missing, or one given by `--set`.
  public let place: Place?
  public let message: String

  public struct Place: Equatable, Sendable {
    public let line: Int
    public let column: Int
  }
}

/// All that is wrong with a job file, at once.
public struct InvalidJob: Error, FailureConvertible, Sendable {
  /// The name of the job file.
  public let source: String
  public let problems: [JobProblem]

  public var failure: Failure {
    let lines = problems.map { problem in
      problem.place.map { "\(source):\($0.line):\($0.column): \(problem.message)" } ?? "\(source): \(problem.message)"
    }
    return Failure(.invalidJob, lines.joined(separator: "\n"))
  }
}
