public import Model

/// What an exchange sends, as a formula.
extension TensorExchange {
  /// Below so many floats a message costs its latency, not its bytes.
  private static let fewFloats = 4096

  /// Whether a sum goes in one round rather than in two of fewer bytes. (For two ranks the bytes are the same.)
  static func addsWhole(count: Int, ranks: Int) -> Bool { ranks == 2 || count <= fewFloats }

  /// What the rank at `place` sends in one call of the exchange for a pass of `rows` rows.
  public static func traffic(of transfer: LayerTransfer, rows: Int, place: TensorPlace) -> Traffic {
    switch transfer {
    case .sum(let floats): trafficOfSum(count: floats * rows, place: place)
    case .gather(let units, let width):
      trafficOfGather(
        place.cuts(units).map { $0.lowerBound * width * rows..<$0.upperBound * width * rows }, place: place)
    }
  }

  static func trafficOfSum(count: Int, place: TensorPlace) -> Traffic {
    let others = place.count - 1
    if others == 0 || count == 0 { return Traffic() }
    if addsWhole(count: count, ranks: place.count) { return Traffic(messages: others, bytes: 4 * others * count) }
    let slices = place.cuts(count)
    return Traffic(messages: others, bytes: 4 * (count - slices[place.index].count))
      + trafficOfGather(slices, place: place)
  }

  static func trafficOfGather(_ parts: [Range<Int>], place: TensorPlace) -> Traffic {
    let (others, count) = (place.count - 1, parts[place.index].count)
    return count == 0 ? Traffic() : Traffic(messages: others, bytes: 4 * others * count)
  }

  /// Floats that an exchange takes for itself where it makes the calls `transfers` for passes of at most `rows` rows.
  public static func floats(_ transfers: [LayerTransfer], rows: Int, place: TensorPlace) -> Int {
    let ranks = place.count
    var (received, part) = (0, 0)
    for transfer in transfers {
      switch transfer {
      case .sum(let floats):
        // A pass of few rows goes in one round even where one of all rows does not.
        let whole = ranks == 2 ? floats * rows : min(floats * rows, fewFloats)
        let slice = addsWhole(count: floats * rows, ranks: ranks) ? 0 : place.cut(floats * rows).count
        received = max(received, (ranks - 1) * max(whole, slice))
        part = max(part, slice)
      case .gather(let units, let width):
        part = max(part, place.cut(units).count * width * rows)
      }
    }
    return received + part
  }
}
