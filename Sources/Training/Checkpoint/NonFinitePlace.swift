/// What of a training is not finite, where something is.
enum NonFinitePlace: Equatable {
  case parameters
  /// By its number among the optimizer's.
  case moment(Int)

  /// A number for the place, the higher the more it says: ranks that see different ones go by the highest.
  func code(moments: Int) -> Int {
    switch self {
    case .parameters: moments + 1
    case .moment(let index): moments - index
    }
  }

  /// The place that has this code; nil for 0.
  init?(code: Int, moments: Int) {
    guard code > 0 else { return nil }
    self = code > moments ? .parameters : .moment(moments - code)
  }
}
