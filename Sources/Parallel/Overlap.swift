/// That gradients are exchanged between hosts while they are computed, and in what portions.
public struct Overlap: Equatable, Sendable {
  /// Floats that a rank sends another at a time.
  public let sliceFloats: Int

  /// - Parameter sliceBytes: more than any gradient has means all of it; a float is the least.
  public init(sliceBytes: Int) { sliceFloats = min(max(1, sliceBytes / MemoryLayout<Float>.stride), 1 << 40) }
}
