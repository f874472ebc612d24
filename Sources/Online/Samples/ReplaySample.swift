internal import Kernels

/// Draws rows of a reservoir, to be learned again beside new ones.
///
/// The rows of a draw are a function of the seed and the number of the draw; within one no row comes twice before all have come once.
public struct ReplaySample: Equatable, Sendable {
  public let rows: [Reservoir.Row]
  private let seed: UInt64

  public init(_ reservoir: Reservoir) {
    rows = reservoir.rows
    seed = reservoir.seed
  }

  /// `count` rows, in a random order; none where there are none.
  public func draw(_ count: Int, number: Int) -> [Reservoir.Row] {
    guard !rows.isEmpty, count > 0 else { return [] }
    var drawn: [Reservoir.Row] = []
    drawn.reserveCapacity(count)
    // "replay"
    var stream = RandomStream(seed: seed, stream: 0x7265_706C_6179, UInt64(bitPattern: Int64(number)))
    while drawn.count < count {
      for place in stream.permutation(count: rows.count).prefix(count - drawn.count) { drawn.append(rows[Int(place)]) }
    }
    return drawn
  }
}
