public import Data
import Model

/// A data set as rows of a model that may have been trained on another one.
///
/// Columns and classes are matched by name where both sides have names, and by their place otherwise. They may have another order in the
/// data; columns that the model has not are left out, and of the classes there may be fewer.
public struct MatchedRows: Sendable {
  public let dataset: ShardedDataset
  /// What happens to the features between the file and the model.
  public let transform: FeatureTransform

  /// - Parameter wantsClasses: whether the targets will be read.
  /// - Throws: `Failure` (65) where the data lack a column of the model, or have a class that it does not know.
  public init(_ opened: OpenedDataset, for description: ModelDescription, wantsClasses: Bool) throws {
    let data = opened.dataset
    let names = data.manifest?.columns ?? []
    if names.isEmpty || description.columns.isEmpty { try description.checkColumns(of: data) }
    let knowsClasses = wantsClasses && !data.classNames.isEmpty && !description.classNames.isEmpty
    if knowsClasses { try description.checkClasses(of: data) }
    let hasColumns = names.isEmpty || description.columns.isEmpty || names == description.columns
    guard !hasColumns || knowsClasses && data.classNames != description.classNames else {
      dataset = data
      transform = try opened.source.transform(model: description.normalization, scale: Float(description.scale))
      return
    }
    let adapter = try RowAdapter(
      matching: opened,
      to: NamedModel(
        name: "the model", columns: description.columns, neededColumns: description.columns.count,
        inputs: description.model.inputs, leavesColumnsOut: true,
        classNames: wantsClasses ? description.classNames : [], normalization: description.normalization,
        hint: ModelDescription.sameColumns))
    dataset = try ShardedDataset(
      joining: [(data, adapter)],
      manifest: DatasetManifest(
        name: data.manifest?.name ?? "", columns: description.columns.isEmpty ? names : description.columns,
        target: nil, splits: []))
    transform = FeatureTransform(normalization: description.normalization, scale: Float(description.scale))
  }
}
