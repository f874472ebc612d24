public import Failures
public import Model

extension ModelError: FailureConvertible {
  public var failure: Failure { Failure(.invalidJob, "the model cannot be: \(description)") }
}
