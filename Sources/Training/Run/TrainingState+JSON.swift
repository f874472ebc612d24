import Data
public import JSON
import Optimization

extension TrainingState {
  /// The state as `state.json` holds it. Doubles keep every bit.
  public var json: JSONValue {
    .object([
      ("step", .integer(step)), ("samples", .integer(samples)), ("skipped_rows", .integer(skippedRows)),
      ("skipped_steps", .integer(skippedSteps)), ("earlier_steps", .integer(earlierSteps)),
      ("rows", .integer(course.rows)),
      ("virtual_ranks", .integer(course.virtualRanks)), ("batch_rows", .integer(course.batchRows)),
      ("seed", .integer(Int(course.seed))), ("shuffle", .boolean(course.shuffle)),
      (
        "plateau",
        .object([
          ("best", plateau.best.isFinite ? .number(plateau.best) : .null), ("bad_count", .integer(plateau.badCount)),
          ("multiplier", .number(plateau.multiplier)),
        ])
      ),
      (
        "early_stopping",
        .object([
          ("best_loss", earlyStopping.bestLoss.map { .number($0) } ?? .null),
          ("best_step", .integer(earlyStopping.bestStep)),
          ("without_improvement", .integer(earlyStopping.withoutImprovement)),
        ])
      ),
    ])
  }

  /// Reads `state.json`.
  /// - Throws: `DataError` (65) where a value is missing or makes no sense.
  public init(parsing bytes: [UInt8], path: String) throws {
    let root: JSONNode
    do {
      root = try JSONNode(parsing: bytes, dialect: .json)
    } catch {
      throw DataError(.invalid, "'\(path)': \(error)")
    }
    func count(_ node: JSONNode?, _ key: String, from least: Int = 0) throws -> Int {
      guard let value = node?[key]?.asInt, value >= least else {
        throw DataError(.invalid, "'\(path)': '\(key)' is missing or no count")
      }
      return value
    }
    guard let shuffle = root["shuffle"]?.asBool else { throw DataError(.invalid, "'\(path)': 'shuffle' is missing") }
    self.init(
      TrainingCourse(
        rows: try count(root, "rows", from: 1), virtualRanks: try count(root, "virtual_ranks", from: 1),
        batchRows: try count(root, "batch_rows", from: 1), seed: UInt64(try count(root, "seed")), shuffle: shuffle))
    step = try count(root, "step")
    samples = try count(root, "samples")
    // Checkpoints of older versions have none of these.
    skippedRows = root["skipped_rows"]?.asInt ?? 0
    skippedSteps = root["skipped_steps"]?.asInt ?? 0
    earlierSteps = root["earlier_steps"]?.asInt ?? 0
    plateau.best = root["plateau"]?["best"]?.asDouble ?? .infinity
    plateau.badCount = try count(root["plateau"], "bad_count")
    plateau.multiplier = root["plateau"]?["multiplier"]?.asDouble ?? 1
    earlyStopping.bestLoss = root["early_stopping"]?["best_loss"]?.asDouble
    earlyStopping.bestStep = try count(root["early_stopping"], "best_step")
    earlyStopping.withoutImprovement = try count(root["early_stopping"], "without_improvement")
  }
}
