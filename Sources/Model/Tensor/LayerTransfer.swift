/// One call of a `LayerExchange`, for plans: what it combines, in floats for each row of the batch.
public enum LayerTransfer: Equatable, Sendable {
  /// `LayerExchange.sum` of `floats` floats a row.
  case sum(floats: Int)
  /// `LayerExchange.gather` of `units` units of `width` floats a row.
  case gather(units: Int, width: Int)

  /// What it costs relative to others: floats that a rank sends for each row, in units of (T - 1)/T, and the time that any
  /// message takes, as so many floats more.
  var cost: Int {
    switch self {
    case .sum(let floats): 2 * floats + Self.latency
    case .gather(let units, let width): units * width + Self.latency
    }
  }

  /// Some 10 µs at some GB/s, spread over the rows of a pass.
  private static let latency = 64
}
