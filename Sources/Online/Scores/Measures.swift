public import JSON

/// How good a model was on some rows, each predicted before it was learned, by the definitions of scikit-learn.
public struct Measures: Equatable, Sendable {
  /// The rows, or the sum of their weights.
  public let rows: Double
  /// The mean loss. Like all means here, nil without rows.
  public let loss: Double?
  public var accuracy: Double?
  /// The mean of the shares that are right in each class of which there are rows.
  public var balancedAccuracy: Double?
  /// Cohen's: how much of what chance leaves was right; nil where chance leaves nothing.
  public var kappa: Double?
  /// The area under the ROC curve of two classes; nil where one is absent.
  public var auc: Double?
  /// How far the area may be from the exact one.
  public var aucError: Double?
  /// Of several outputs the mean.
  public var mae: Double?
  public var rmse: Double?
  /// Nil where the targets do not vary.
  public var r2: Double?

  init(_ tally: Tally) {
    rows = tally.weight
    guard rows > 0 else {
      loss = nil
      return
    }
    loss = tally.lossSum / rows
    switch tally.task {
    case .classification(let classes): judge(tally.confusion, classes)
    case .regression(let outputs): judge(tally.sums, outputs: outputs)
    }
  }

  private mutating func judge(_ confusion: [Double], _ classes: Int) {
    var (hits, chance, recalls, present) = (0.0, 0.0, 0.0, 0.0)
    for index in 0..<classes {
      var (support, predicted) = (0.0, 0.0)
      for other in 0..<classes {
        support += confusion[index * classes + other]
        predicted += confusion[other * classes + index]
      }
      let right = confusion[index * classes + index]
      hits += right
      chance += support / rows * (predicted / rows)
      if support > 0 {
        recalls += right / support
        present += 1
      }
    }
    accuracy = hits / rows
    balancedAccuracy = recalls / present
    kappa = chance < 1 ? (hits / rows - chance) / (1 - chance) : nil
  }

  private mutating func judge(_ sums: [Double], outputs: Int) {
    var (squares, distances, explained, varies) = (0.0, 0.0, 0.0, true)
    for output in 0..<outputs {
      squares += sums[4 * output + 2] / rows
      distances += sums[4 * output + 3] / rows
      if sums[4 * output + 1] > 0 {
        explained += 1 - sums[4 * output + 2] / sums[4 * output + 1]
      } else {
        varies = false
      }
    }
    mae = distances / Double(outputs)
    rmse = (squares / Double(outputs)).squareRoot()
    r2 = varies ? explained / Double(outputs) : nil
  }

  /// Sets the area under the ROC curve.
  mutating func setArea(_ area: (value: Double, error: Double)?) {
    auc = area?.value
    auc.map { _ in aucError = area?.error }
  }

  /// What there is, with the names of `metrics.jsonl`.
  public var json: JSONValue {
    var members: [(String, JSONValue)] = [("rows", .number(rows))]
    let numbers: [(String, Double?)] = [
      ("loss", loss), ("accuracy", accuracy), ("balanced_accuracy", balancedAccuracy), ("kappa", kappa), ("auc", auc),
      ("auc_error", aucError), ("mae", mae), ("rmse", rmse), ("r2", r2),
    ]
    for (name, number) in numbers {
      if let number { members.append((name, .number(number))) }
    }
    return .object(members)
  }
}
