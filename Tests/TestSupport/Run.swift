import Foundation

/// A program could not be started.
public struct RunError: Error, CustomStringConvertible {
  public let description: String
}

/// Starts programs and waits for them.
public enum Run {
  /// Runs a program to its end, or to its timeout.
  ///
  /// - Parameters:
  ///   - program: a path, or a name that is looked up in `PATH`.
  ///   - environment: added to the environment of the test; `nil` takes a variable away.
  ///   - input: what the program reads on standard input; empty by default.
  ///   - timeout: when it is over, the program and everything it started is killed.
  /// - Throws: `RunError` if it cannot be started. A program that fails is no error here: look at the result.
  public static func program(
    _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    workingDirectory: String? = nil, input: String = "", timeout: Duration = Patience.most
  ) throws -> RunResult {
    try start(
      program, arguments, environment: environment, workingDirectory: workingDirectory, input: input
    ).wait(timeout: timeout)
  }

  /// Starts a program and returns at once, for tests that send it signals or look at what it does.
  public static func start(
    _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    workingDirectory: String? = nil, input: String = ""
  ) throws -> RunningProgram {
    try RunningProgram(
      program, arguments, environment: environment, workingDirectory: workingDirectory, input: input)
  }

  /// Runs a line of bash.
  public static func shell(
    _ line: String, environment: [String: String?] = [:], workingDirectory: String? = nil,
    timeout: Duration = Patience.most
  ) throws -> RunResult {
    try program(
      "bash", ["-c", line], environment: environment, workingDirectory: workingDirectory, timeout: timeout)
  }
}
