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

  /// The files of the checkpoint of `state`.
  func files(of state: TrainingState) -> [File] {
    var description = description
    description.step = state.step
    let whole = description.model.layout
    var files = [File(kind: .parameters, name: ModelFile.name, layout: ModelFile.layout(of: description))]
    if !moments.isEmpty {
      // Each tensor has the name of its moment before its own: `first_moment.layers.0.weight`.
      let layout = ModelFile.layout(of: whole, prefixes: moments.map { $0 + "." })
      files.append(File(kind: .moments, name: Self.optimizerName, layout: layout))
    }
    if state.earlyStopping.bestLoss != nil {
      files.append(File(kind: .best, name: Self.bestName, layout: ModelFile.layout(of: whole)))
    }
    return files
  }

  /// Bytes of the elements of a checkpoint, without the best parameters.
  var bytes: Int { 4 * description.model.layout.count * (1 + moments.count) }
}
