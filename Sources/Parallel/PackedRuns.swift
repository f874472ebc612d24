import Kernels

/// A message in two forms: as floats, and as it goes where gradients are rounded for the wire, with what must be exact as it is.
struct PackedRuns {
  private struct Run {
    /// Where its elements are as floats, where they are packed, and how many there are.
    let floats: Int
    let packed: Int
    let count: Int
    let isRounded: Bool
  }

  private var runs: [Run] = []
  /// Where the packed form ends.
  private(set) var end: Int

  /// - Parameter start: where the packed form begins.
  init(at start: Int = 0) { end = start }

  /// Goes on with `rounded` elements of a gradient, which begin at `floats`, and `exact` others behind them.
  mutating func append(at floats: Int, rounded: Int, exact: Int) {
    if rounded > 0 { append(Run(floats: floats, packed: end, count: rounded, isRounded: true)) }
    if exact > 0 { append(Run(floats: floats + rounded, packed: end, count: exact, isRounded: false)) }
  }

  private mutating func append(_ run: Run) {
    runs.append(run)
    end += Self.packedCount(rounded: run.isRounded ? run.count : 0, exact: run.isRounded ? 0 : run.count)
  }

  /// The floats that the packed form of so many elements has.
  static func packedCount(rounded: Int, exact: Int) -> Int { BFloat16.floats(rounded) + exact }

  /// Packs `floats`; see `BFloat16.pack`.
  func pack(
    _ floats: borrowing FloatBuffer, carrying residual: inout FloatBuffer, into packed: inout FloatBuffer
  ) {
    for run in runs {
      let range = run.floats..<run.floats + run.count
      if run.isRounded {
        BFloat16.pack(floats, range, carrying: &residual, into: &packed, at: run.packed)
      } else {
        packed.copy(from: floats, range: range, to: run.packed)
      }
    }
  }

  /// Writes to `floats` what is in `packed`.
  func unpack(_ packed: borrowing FloatBuffer, into floats: inout FloatBuffer) {
    for run in runs {
      if run.isRounded {
        BFloat16.unpack(packed, at: run.packed, count: run.count, into: &floats, at: run.floats)
      } else {
        floats.copy(from: packed, range: run.packed..<run.packed + run.count, to: run.floats)
      }
    }
  }
}
