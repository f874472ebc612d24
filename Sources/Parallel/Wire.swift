/// How sums of gradients go from host to host.
public struct Wire: Equatable, Sendable {
  /// What a number of a gradient is on its way.
  public enum Precision: String, CaseIterable, Sendable {
    case float32
    /// Rounded, with what rounding leaves out added to the next message.
    case bfloat16
  }

  /// Above about 64 KiB Open MPI over TCP sends what the receiver asks for, and not both ways at once.
  public static let defaultPortionBytes = 57_344

  public let precision: Precision
  /// The most floats of a message where many are to go.
  public let portionFloats: Int

  /// - Parameter portionBytes: of a message; a float is the least.
  public init(_ precision: Precision = .float32, portionBytes: Int = Wire.defaultPortionBytes) {
    self.precision = precision
    portionFloats = max(1, portionBytes / MemoryLayout<Float>.stride)
  }

  /// The messages in which so many floats go to a rank.
  func messages(_ floats: Int) -> Int { (floats + portionFloats - 1) / portionFloats }
}
