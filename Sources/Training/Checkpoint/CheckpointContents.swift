import Data
import Model

/// The files of tensors of a checkpoint.
struct CheckpointContents: Sendable {
  static let optimizerName = "optimizer.safetensors"
  static let bestName = "best.safetensors"

  /// What the tensors of a file are of.
  enum Kind: Sendable {
    case parameters, moments, best
  }

  struct File: Sendable {
    let kind: Kind
    let name: String
    let layout: SafetensorsLayout
  }

  /// What a model file of the training says; the step is filled in.
  let description: ModelDescription
  /// The names of the optimizer's moments.
  let moments: [String]

  /// Of the model but for its step, and of the files that are alike in every checkpoint.
  private let modelLayout: SafetensorsLayout
  private let optimizerLayout: SafetensorsLayout
  private let bestLayout: SafetensorsLayout

  init(description: ModelDescription, moments: [String]) {
    self.description = description
    self.moments = moments
    modelLayout = ModelFile.layout(of: description)
    // Each tensor has the name of its moment before its own: `first_moment.layers.0.weight`.
    optimizerLayout = ModelFile.layout(of: description.model.layout, prefixes: moments.map { $0 + "." })
    bestLayout = ModelFile.layout(of: description.model.layout)
  }

  /// The files of the checkpoint of `state`.
  func files(of state: TrainingState) -> [File] {
    let layout = modelLayout.setting(ModelDescription.stepKey, to: String(state.step))
    var files = [File(kind: .parameters, name: ModelFile.name, layout: layout)]
    if !moments.isEmpty { files.append(File(kind: .moments, name: Self.optimizerName, layout: optimizerLayout)) }
    if state.earlyStopping.bestLoss != nil {
      files.append(File(kind: .best, name: Self.bestName, layout: bestLayout))
    }
    return files
  }

  /// Bytes of the elements of a checkpoint, without the best parameters.
  var bytes: Int { 4 * description.model.layout.count * (1 + moments.count) }
}
