/// Which rows of a source are learned, where not all are.
struct SampleRule: Equatable, Sendable {
  /// The chance of a row, before what is below.
  var fraction = 1.0
  /// Factors of the chance by class, in the order of the classes; empty where classes have none.
  var classes: [Double] = []
  /// The feature by which the chance goes; nil for none.
  var weight: String?
  var seed = 0

  var takesAll: Bool { fraction == 1 && classes.isEmpty && weight == nil }
}
