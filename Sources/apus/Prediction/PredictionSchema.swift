import Model
import Training

/// What is predicted for a row: labels, numbers, or both.
struct PredictionSchema: Equatable, Sendable {
  /// What the numbers are.
  enum Numbers: String, Sendable {
    case values, probabilities, scores
  }

  let numbers: Numbers
  /// How many numbers a row has: one a class or output; one for the two classes of a margin.
  let width: Int
  /// How many labels a row has: the index of its class, or a 0 or 1 for each output that is true or false on its own; 0 for a
  /// regression.
  let labels: Int
  /// The names of the classes; empty where labels are no classes.
  let classNames: [String]

  init(_ description: ModelDescription) {
    let model = description.model
    numbers =
      switch model.outputMeaning {
      case .values: .values
      case .probabilities: .probabilities
      case .margins: .scores
      }
    classNames = description.classNames
    let (_, task) = ModelDesign.use(of: model)
    switch task {
    case .classification(let classes):
      labels = 1
      width = numbers == .probabilities ? classes : model.outputs
    case .labels(let outputs):
      labels = outputs
      width = outputs
    case .regression(let outputs):
      labels = 0
      width = outputs
    }
  }
}
