import Data
import Failures
import JSON
import Training

extension NonFinite {
  /// The policy that `--non-finite` names; nil without it.
  init?(_ arguments: Arguments, _ syntax: Syntax) throws(UsageError) {
    guard let name = arguments.value("--non-finite") else { return nil }
    guard let policy = NonFinite(named: name) else {
      throw UsageError.unknown("value for --non-finite:", name, among: Self.names, of: syntax)
    }
    self = policy
  }
}

extension ModelDescription {
  /// What the training did with rows that hold a number which is not finite; a model of another program fails on them.
  var nonFinite: NonFinite {
    guard let data = try? JSONNode(parsing: Array(job.utf8), dialect: .json)["data"],
      let name = data["non_finite"]?.asString
    else { return .fail }
    return NonFinite(named: name, replacement: data["replacement"]?.asDouble.map { Float($0) }) ?? .fail
  }
}

extension FeatureTransform {
  /// Throws where features are to be replaced by means of their columns, and there are none.
  func check(_ policy: NonFinite, of path: String) throws(Failure) {
    guard policy == .replace(nil), normalization == nil else { return }
    throw Failure(
      .invalidData, "the model knows no means of its columns to replace numbers that are not finite in '\(path)' with",
      hint: "--non-finite skip_row leaves such rows out")
  }
}
