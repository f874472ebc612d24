/// A model that cannot be: sizes, kind and loss that do not go together.
public struct ModelError: Error, Equatable, CustomStringConvertible {
  /// What is wrong, with the numbers.
  public let description: String

  init(_ description: String) { self.description = description }
}
