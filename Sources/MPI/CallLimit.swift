/// How long a rank may be in a call in which all ranks meet.
public struct CallLimit: Sendable {
  let seconds: Double
  let raise: @Sendable (_ call: String) -> Void

  /// - Parameter raise: given the call that took longer; ends the rank. Called on a thread of its own.
  public init(seconds: Double, raise: @escaping @Sendable (_ call: String) -> Void) {
    self.seconds = seconds
    self.raise = raise
  }
}
