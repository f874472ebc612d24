import Preparation
import Text
import Training

/// Metrics for people.
enum MetricsTable {
  /// More classes than this are left out of the confusion matrix of the table; `--json` has them all.
  private static let mostClasses = 20

  static func text(_ metrics: Metrics, _ description: ModelDescription, _ transform: TargetTransform) -> String {
    var lines = [("rows", grouped(metrics.rows)), ("loss", significant(metrics.loss, digits: 6))]
    // The metrics are of what the model learned.
    if transform != .none {
      lines.insert(("target", "\(transform.rawValue) of \(description.target ?? "the target")"), at: 1)
    }
    var tables: [String] = []
    switch metrics.detail {
    case .classification(let classification):
      lines.append(("accuracy", percent(classification.accuracy)))
      if let auc = classification.auc { lines.append(("AUC", fixed(auc, decimals: 6))) }
      tables = [classes(classification, description.classNames), confusion(classification, description.classNames)]
    case .labels(let accuracy):
      lines.append(("accuracy", percent(accuracy)))
    case .regression(let regression):
      lines += [
        ("MSE", significant(regression.mse, digits: 6)), ("RMSE", significant(regression.rmse, digits: 6)),
        ("MAE", significant(regression.mae, digits: 6)),
        ("R²", regression.r2.map { fixed($0, decimals: 6) } ?? "- (the targets do not vary)"),
      ]
    }
    let head = lines.map { "\(padded($0.0, to: 9)) \($0.1)\n" }.joined()
    return ([head] + tables).joined(separator: "\n")
  }

  private static func percent(_ share: Double) -> String { "\(fixed(100 * share, decimals: 2)) %" }

  private static func classes(_ classification: Metrics.Classification, _ names: [String]) -> String {
    var table = Table([
      Table.Column("class"), Table.Column("precision", .right), Table.Column("recall", .right),
      Table.Column("F1", .right),
      Table.Column("rows", .right),
    ])
    for (name, metrics) in zip(names, classification.classes) {
      table.append([
        name, fixed(metrics.precision, decimals: 4), fixed(metrics.recall, decimals: 4), fixed(metrics.f1, decimals: 4),
        grouped(metrics.support),
      ])
    }
    return table.rendered()
  }

  private static func confusion(_ classification: Metrics.Classification, _ names: [String]) -> String {
    guard names.count <= mostClasses else {
      return "the confusion matrix of \(names.count) classes is too wide for a table; --json has it\n"
    }
    var table = Table([Table.Column("true \\ predicted", .right)] + names.map { Table.Column($0, .right) })
    for (name, row) in zip(names, classification.confusion) { table.append([name] + row.map(grouped)) }
    return table.rendered()
  }
}
