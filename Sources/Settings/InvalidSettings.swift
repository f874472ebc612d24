public import Failures

/// One thing that is wrong with a file of settings: a job, a recipe.
public struct SettingProblem: Equatable, Sendable {
  public let origin: Origin
  public let message: String

  public enum Origin: Equatable, Sendable {
    /// The file; nil for a key that is missing.
    case file(Place?)
    /// An option of the command line that sets this key.
    case override(String)

    public static func file(line: Int, column: Int) -> Origin { .file(Place(line: line, column: column)) }
  }

  public init(origin: Origin, message: String) {
    self.origin = origin
    self.message = message
  }

  /// By place in the file, then what is missing in it, then what `--set` says.
  fileprivate var order: (Int, Int, Int) {
    switch origin {
    case .file(let place?): (0, place.line, place.column)
    case .file(nil): (1, 0, 0)
    case .override: (2, 0, 0)
    }
  }

  /// A place in the file, counted from 1.
  public struct Place: Equatable, Sendable {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }
}

/// All that is wrong with a file of settings, at once.
public struct InvalidSettings: Error, FailureConvertible, Sendable {
  /// The name of the file.
  public let source: String
  public let problems: [SettingProblem]

  public init(source: String, problems: [SettingProblem]) {
    self.source = source
    self.problems = problems
  }

  public var failure: Failure { Failure(.invalidJob, message) }

  /// One line a problem, by their places; a first line counts them where they are several.
  public var message: String {
    guard problems.count > 1 else { return problems.map(line).joined() }
    let lines = problems.sorted { $0.order < $1.order }.map { "\n  " + line($0) }
    return "'\(source)' has \(problems.count) mistakes" + lines.joined()
  }

  /// `job.json:3:12: ...`, the form that editors jump to; what `--set` says has no place in the file.
  private func line(_ problem: SettingProblem) -> String {
    switch problem.origin {
    case .file(let place?): "\(source):\(place.line):\(place.column): \(problem.message)"
    case .file(nil): "\(source): \(problem.message)"
    case .override(let key): "--set \(key): \(problem.message)"
    }
  }
}
