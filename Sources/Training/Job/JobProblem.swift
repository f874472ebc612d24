public import Failures

/// One thing that is wrong with a job file.
public struct JobProblem: Equatable, Sendable {
  public let origin: Origin
  public let message: String

  public enum Origin: Equatable, Sendable {
    /// The job file; nil for a key that is missing.
    case file(Place?)
    /// A `--set` of this key.
    case override(String)

    static func file(line: Int, column: Int) -> Origin { .file(Place(line: line, column: column)) }
  }

  /// By place in the file, then what is missing in it, then what `--set` says.
  fileprivate var order: (Int, Int, Int) {
    switch origin {
    case .file(let place?): (0, place.line, place.column)
    case .file(nil): (1, 0, 0)
    case .override: (2, 0, 0)
    }
  }

  /// A place in the job file, counted from 1.
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
    guard problems.count > 1 else { return Failure(.invalidJob, problems.map(line).joined()) }
    let lines = problems.sorted { $0.order < $1.order }.map { "\n  " + line($0) }
    return Failure(.invalidJob, "'\(source)' has \(problems.count) mistakes" + lines.joined())
  }

  /// `job.json:3:12: ...`, the form that editors jump to; what `--set` says has no place in the file.
  private func line(_ problem: JobProblem) -> String {
    switch problem.origin {
    case .file(let place?): "\(source):\(place.line):\(place.column): \(problem.message)"
    case .file(nil): "\(source): \(problem.message)"
    case .override(let key): "--set \(key): \(problem.message)"
    }
  }
}
