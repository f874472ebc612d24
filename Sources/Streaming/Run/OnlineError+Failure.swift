public import Failures
public import Online

extension OnlineError: FailureConvertible {
  public var failure: Failure { Failure(.invalidData, description) }
}
