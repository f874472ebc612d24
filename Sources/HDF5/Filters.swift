/// What happens to a chunk on its way to the file. Only these filters are written and accepted.
public struct Filters: Equatable, Sendable {
  /// The level of compression, 0 to 9, or nil for none.
  public var deflate: Int?
  /// Bytes of equal weight side by side, which compresses better.
  public var shuffle: Bool
  /// A checksum that reading verifies.
  public var fletcher32: Bool

  public init(deflate: Int? = nil, shuffle: Bool = false, fletcher32: Bool = false) {
    self.deflate = deflate
    self.shuffle = shuffle
    self.fletcher32 = fletcher32
  }

  public static let none = Filters()
}
