/// What a model predicts, which decides how it is judged.
public enum ScoreTask: Equatable, Sendable {
  /// One of `classes` classes.
  case classification(classes: Int)
  /// `outputs` numbers a row.
  case regression(outputs: Int)

  /// Floats that a row's target and its prediction take each.
  public var width: Int {
    switch self {
    case .classification: 1
    case .regression(let outputs): outputs
    }
  }

  func check() throws(OnlineError) {
    switch self {
    case .classification(let classes):
      guard (2...4096).contains(classes) else { throw OnlineError("scores of \(classes) classes, not of 2 to 4096") }
    case .regression(let outputs):
      guard outputs > 0 else { throw OnlineError("scores of \(outputs) outputs") }
    }
  }
}
