public import JSON

/// How good a model is on some rows, by the usual definitions (those of scikit-learn).
public struct Metrics: Sendable {
  /// The metrics of one class against the rest.
  public struct ClassMetrics: Sendable {
    public let precision: Double
    public let recall: Double
    public let f1: Double
    /// The rows of the class.
    public let support: Int
  }

  public struct Classification: Sendable {
    public let accuracy: Double
    public let classes: [ClassMetrics]
    /// Rows by true class (row) and predicted class (column).
    public let confusion: [[Int]]
    /// Area under the ROC curve; nil unless there are two classes, both of them present.
    public var auc: Double?
  }

  /// Of several outputs, the mean over the outputs.
  public struct Regression: Sendable {
    public let mse: Double
    public let rmse: Double
    public let mae: Double
    /// Nil where the targets do not vary.
    public let r2: Double?
  }

  public enum Detail: Sendable {
    case classification(Classification)
    case labels(accuracy: Double)
    case regression(Regression)
  }

  public let rows: Int
  /// The mean loss.
  public let loss: Double
  public var detail: Detail

  init(_ sums: MetricSums) {
    rows = sums.rows
    let count = Double(max(sums.rows, 1))
    loss = sums.lossSum / count
    switch sums.task {
    case .classification(let classes):
      let confusion = (0..<classes).map { Array(sums.confusion[$0 * classes..<($0 + 1) * classes]) }
      detail = .classification(Self.classification(confusion, rows: count))
    case .labels(let outputs):
      detail = .labels(accuracy: Double(sums.correctLabels) / (count * Double(outputs)))
    case .regression:
      detail = .regression(Self.regression(sums.outputs, rows: count))
    }
  }

  private static func classification(_ confusion: [[Int]], rows: Double) -> Classification {
    let perClass = confusion.indices.map { index in
      let hits = Double(confusion[index][index])
      let support = confusion[index].reduce(0, +)
      let predicted = confusion.reduce(0) { $0 + $1[index] }
      let precision = predicted > 0 ? hits / Double(predicted) : 0
      let recall = support > 0 ? hits / Double(support) : 0
      let f1 = precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
      return ClassMetrics(precision: precision, recall: recall, f1: f1, support: support)
    }
    let hits = confusion.indices.reduce(0) { $0 + confusion[$1][$1] }
    return Classification(accuracy: Double(hits) / rows, classes: perClass, confusion: confusion, auc: nil)
  }

  private static func regression(_ outputs: [MetricSums.Output], rows: Double) -> Regression {
    let count = Double(max(outputs.count, 1))
    let mse = outputs.reduce(0) { $0 + $1.errorSquares / rows } / count
    let mae = outputs.reduce(0) { $0 + $1.absoluteErrors / rows } / count
    let varies = outputs.allSatisfy { $0.targetSquares > 0 }
    let r2 = outputs.reduce(0) { $0 + 1 - $1.errorSquares / $1.targetSquares } / count
    return Regression(mse: mse, rmse: mse.squareRoot(), mae: mae, r2: varies ? r2 : nil)
  }

  mutating func setAUC(_ auc: Double?) {
    guard case .classification(var classification) = detail else { return }
    classification.auc = auc
    detail = .classification(classification)
  }

  /// The one or two numbers that a validation line carries beside the loss.
  public var headline: [(name: String, value: Double?)] {
    switch detail {
    case .classification(let classification): [("accuracy", classification.accuracy)]
    case .labels(let accuracy): [("accuracy", accuracy)]
    case .regression(let regression): [("rmse", regression.rmse), ("r2", regression.r2)]
    }
  }

  /// The metrics as `evaluate --json` prints them.
  public func json(classNames: [String]) -> JSONValue {
    var members: [(String, JSONValue)] = [("rows", .integer(rows)), ("loss", .number(loss))]
    switch detail {
    case .classification(let classification):
      members.append(("accuracy", .number(classification.accuracy)))
      if let auc = classification.auc { members.append(("auc", .number(auc))) }
      let classes = zip(classNames, classification.classes).map { name, metrics in
        JSONValue.object([
          ("class", .string(name)), ("precision", .number(metrics.precision)), ("recall", .number(metrics.recall)),
          ("f1", .number(metrics.f1)), ("rows", .integer(metrics.support)),
        ])
      }
      members.append(("classes", .array(classes)))
      members.append(("confusion", .array(classification.confusion.map { row in .array(row.map { .integer($0) }) })))
    case .labels(let accuracy):
      members.append(("accuracy", .number(accuracy)))
    case .regression(let regression):
      members += [
        ("mse", .number(regression.mse)), ("rmse", .number(regression.rmse)), ("mae", .number(regression.mae)),
        ("r2", regression.r2.map { .number($0) } ?? .null),
      ]
    }
    return .object(members)
  }
}
