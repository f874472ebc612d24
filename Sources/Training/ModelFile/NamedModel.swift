import Data
import Failures

/// What names say of a model to which the rows of data sets are to be matched.
struct NamedModel {
  /// In the words of an error.
  let name: String
  /// Names of the columns; empty where nobody knows them, which are matched by their place then.
  let columns: [String]
  /// The first so many of them have to be there.
  let neededColumns: Int
  let inputs: Int
  /// Whether columns that the model has not are left out; otherwise they are an error.
  let leavesColumnsOut: Bool
  /// Names of the classes; empty where targets are none, or do not matter.
  let classNames: [String]
  let normalization: Normalization?
  /// What to do about a column that is not there.
  let hint: String
}

extension RowAdapter {
  /// How the rows of `data` become rows of a model: columns and classes are matched by name where both sides have names.
  /// - Throws: `Failure` (65) where the data lack a column that is needed, or have a column or a class that may not be there.
  init(matching data: OpenedDataset, to model: NamedModel) throws {
    let path = data.source.paths.first ?? ""
    let stored = data.source.manifest.flatMap { $0.isNormalized ? $0.normalization : nil }
    try self.init(
      places: try Self.places(of: data, in: model, path), classes: try Self.classes(of: data, in: model, path),
      columns: model.inputs, stored: stored, model: model.normalization)
  }

  private static func places(of data: OpenedDataset, in model: NamedModel, _ path: String) throws -> [Int?] {
    let names = data.dataset.manifest?.columns ?? []
    guard !names.isEmpty, !model.columns.isEmpty, names != model.columns else { return Array(0..<data.dataset.columns) }
    let known = Dictionary(zip(model.columns, model.columns.indices), uniquingKeysWith: { first, _ in first })
    let places = try names.map { name in
      let place = known[name]
      guard place != nil || model.leavesColumnsOut else {
        throw Failure(.invalidData, "the column '\(name)' of '\(path)' is none of the model's")
      }
      return place
    }
    let held = Set(places.compactMap { $0 })
    if let missing = (0..<model.neededColumns).first(where: { !held.contains($0) }) {
      throw Failure(
        .invalidData, "'\(path)' lacks the column '\(model.columns[missing])', which \(model.name) has",
        hint: model.hint)
    }
    guard held.count == places.count(where: { $0 != nil }) else {
      throw Failure(.invalidData, "'\(path)' has two columns of one name")
    }
    return places
  }

  private static func classes(of data: OpenedDataset, in model: NamedModel, _ path: String) throws -> [Int]? {
    let names = data.dataset.classNames
    guard !names.isEmpty, !model.classNames.isEmpty else { return nil }
    let places = try names.map { name in
      guard let place = model.classNames.firstIndex(of: name) else {
        throw Failure(.invalidData, "the class '\(name)' of '\(path)' is none of the model's")
      }
      return place
    }
    return places == Array(0..<model.classNames.count) ? nil : places
  }
}
