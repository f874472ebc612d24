/// Why a text is no expression, or none on these columns.
public struct ExpressionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The character of the expression that is wrong, counted from 1.
  public let place: Int
  public let message: String

  public var description: String { "at character \(place): \(message)" }
}
