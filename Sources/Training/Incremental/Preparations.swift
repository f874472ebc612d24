import Failures
import JSON

/// What is known of how raw rows became those of a model and of new data that it is trained on.
enum Preparations {
  /// The preparation that the model has from now on.
  ///
  /// Features that were fitted otherwise mean something else, and are refused.
  /// - Parameters:
  ///   - old: that of the model; nil where its features are columns of a table as they are.
  ///   - new: that of the new data.
  ///   - classes: the names of all classes.
  ///   - addsColumns: the new data have columns that the model had not.
  static func merged(
    _ old: JSONValue?, _ new: JSONValue?, classes: [String], addsColumns: Bool
  ) throws -> JSONValue? {
    guard old != new else { return old }
    let (known, found) = (fitted(old), fitted(new))
    for (name, way) in found {
      // A column that is not named was left as it is.
      if let other = known[name] ?? (old == nil ? [] : nil), other != way { throw differs(name) }
    }
    for (name, way) in known where found[name] == nil && !way.isEmpty { throw differs(name) }
    for key in ["derive", "target_transform", "interactions", "polynomial"]
    where old?["recipe"]?[key]?.value != new?["recipe"]?[key]?.value && old != nil && new != nil {
      throw Failure(
        .invalidData, "the recipe of the new data has another '\(key)' than that of the model to go on from",
        hint: hint)
    }
    guard let old, case .object(var members) = old else { return nil }
    guard !addsColumns else {
      // The features of a raw table would no longer be those of the model.
      guard known.allSatisfy(\.value.isEmpty), found.allSatisfy(\.value.isEmpty) else {
        throw Failure(
          .invalidData, "columns cannot be added to a model whose features were fitted by a recipe",
          hint: "train a model of all columns anew")
      }
      return nil
    }
    for index in members.indices {
      switch members[index].key {
      case "target":
        if !classes.isEmpty {
          members[index].value = JSONNode(
            members[index].value.value.replacing("classes", .array(classes.map { .string($0) })))
        }
      case "recipe" where old["recipe"]?["filter"]?.value != new?["recipe"]?["filter"]?.value:
        // The model has been trained on the rows of both.
        members[index].value = JSONNode(members[index].value.value.replacing("filter", .array([JSONValue]())))
      default: break
      }
    }
    return .object(members)
  }

  private static let hint =
    "rows for a model are prepared as its own were: apus prepare --append adds them to its data set so"

  private static func differs(_ name: String) -> Failure {
    Failure(
      .invalidData, "the column '\(name)' of the new data was prepared otherwise than that of the model to go on from",
      hint: hint)
  }

  /// What was fitted for each column, by its name; nothing for one that is taken as it is.
  private static func fitted(_ preparation: JSONValue?) -> [String: [JSONMember]] {
    var found: [String: [JSONMember]] = [:]
    for node in preparation?["fitted"]?.asArray ?? [] {
      guard let name = node["name"]?.asString else { continue }
      found[name] = (node.asObject ?? []).filter { $0.key != "name" && $0.value.asArray?.isEmpty != true }
    }
    return found
  }
}

extension JSONValue {
  /// The object with another value for `key`, if it has the key.
  fileprivate func replacing(_ key: String, _ value: JSONValue) -> JSONValue {
    guard case .object(var members) = self, let index = members.firstIndex(where: { $0.key == key }) else {
      return self
    }
    members[index].value = JSONNode(value)
    return .object(members)
  }
}
