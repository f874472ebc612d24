import JSON
import Online
import Training

/// How the ranks of a stream learn from each other. A rank that is alone learns as it would without any of them.
enum CombinationForm: String, CaseIterable, Sendable {
  /// All take what each has learned at the same time.
  case parameters
  /// An update is one of all ranks, with the sum of their gradients.
  case gradients
  /// Each goes on, and takes in what the others have learned when it is there.
  case asynchronous
  /// Rank 0 owns the parameters: the others send it what they have learned and get them back.
  case central

  /// Whether the ranks do not wait for each other where they tell what they have learned.
  var isLoose: Bool { self == .asynchronous || self == .central }

  /// Posts of a rank that another one may not have taken in yet, where the job does not say.
  static let staleness = 4
}

extension JobValues {
  /// Finds forms of combining that do not fit what learns.
  mutating func checkCombination() {
    guard let form: CombinationForm = choice("stream.combine") else { return }
    if self["stream.staleness"] != .null, form != .asynchronous {
      reject("stream.staleness", "is a setting of stream.combine \"asynchronous\"")
    }
    if isGiven("stream.step"), form.isLoose {
      reject("stream.step", "is a setting of stream.combine \"parameters\" and \"gradients\"")
    }
    guard let kind: LearnerKind = choice("model.kind") else { return }
    switch form {
    case .parameters: break
    case .gradients where !kind.hasGradient:
      reject(
        "stream.combine", "\"gradients\" does not fit kind \"\(kind.rawValue)\", which has none; use \"parameters\"")
    case .central where kind == .rls:
      reject(
        "stream.combine",
        "\"central\" does not fit kind \"rls\", whose ranks exchange rows and not parameters; use \"parameters\"")
    case .asynchronous where kind == .rls && (number("model.forgetting") ?? 1) < 1:
      reject(
        "stream.combine",
        "\"asynchronous\" does not fit model.forgetting below 1: rows would be forgotten in another order on each rank")
    default: break
    }
  }
}
