import Data
import JSON

/// How good a model was before and after it was trained with new data: on old rows, and on new ones.
public struct ModelComparison: Sendable {
  /// The name of its file in the directory of a run.
  public static let name = "comparison.json"

  /// Both models on the same rows.
  public struct Part: Sendable {
    /// What the rows are, for people.
    public let rows: String
    public let before: Metrics
    public let after: Metrics

    /// How much worse the model is after: the accuracy that it lost, or the growth of its RMSE as a part of what it was.
    public var loss: Double {
      switch (before.detail, after.detail) {
      case (.classification(let before), .classification(let after)): before.accuracy - after.accuracy
      case (.labels(let before), .labels(let after)): before - after
      case (.regression(let before), .regression(let after)):
        before.rmse == after.rmse ? 0 : after.rmse / before.rmse - 1
      default: .infinity
      }
    }
  }

  /// The rows that the saved model knew; nil where there are none.
  public let old: Part?
  public let new: Part
  /// How much worse it might get on old rows; nil for any.
  public let tolerance: Double?

  /// Whether the model may take the place of the saved one.
  public var isAccepted: Bool {
    guard let tolerance, let old else { return true }
    return old.loss <= tolerance
  }

  func json(classNames: [String]) -> JSONValue {
    func members(_ part: Part?) -> JSONValue {
      guard let part else { return .null }
      return .object([
        ("rows", .string(part.rows)), ("worse_by", part.loss.isFinite ? .number(part.loss) : .null),
        ("before", part.before.json(classNames: classNames)), ("after", part.after.json(classNames: classNames)),
      ])
    }
    return .object([
      ("accepted", .boolean(isAccepted)), ("tolerance", tolerance.map { .number($0) } ?? .null), ("old", members(old)),
      ("new", members(new)),
    ])
  }
}
