public import Failures

extension PreparationError: FailureConvertible {
  public var failure: Failure {
    Failure(ExitCode(rawValue: kind.exitCode) ?? .internalError, description, hint: hint)
  }
}
