import Failures
import JSON
import Model
import Preparation
import Training

extension ModelDescription {
  /// What was done to the raw rows of the training data; nil where they are the columns of a table as they are.
  /// - Throws: `Failure` (65) where the model says something that is no preparation, or one that makes other features.
  func fittedPipeline() throws -> FittedPipeline? {
    guard let preparation else { return nil }
    let fitted: FittedPipeline
    do {
      fitted = try FittedPipeline(JSONNode(preparation))
    } catch {
      throw Failure(.invalidData, "the preparation that the model keeps cannot be used: \(error.message)")
    }
    guard fitted.featureNames.count == model.inputs else {
      throw Failure(
        .invalidData,
        "the preparation that the model keeps makes \(fitted.featureNames.count) features, and the model has \(model.inputs) inputs"
      )
    }
    return fitted
  }

  /// What the model learned in place of its target.
  func targetTransform() throws -> TargetTransform { try fittedPipeline()?.pipeline.recipe.targetTransform ?? .none }
}
