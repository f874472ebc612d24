/// What a model is asked to predict, which decides how it is judged.
public enum Task: Equatable, Sendable {
  /// One of `classes` classes; two classes may share one score.
  case classification(classes: Int)
  /// Each of `outputs` labels is true or false on its own.
  case labels(outputs: Int)
  /// `outputs` numbers a row.
  case regression(outputs: Int)
}
