import Kernels

/// What part of the ranks' changes, added up, a model takes.
///
/// Ranks that go on from the same parameters move them together as far as one rank would with all their rows, as long as each moves them a
/// little: then all of the sum is right, and its n-th part, the mean of n ranks, learns n times too slowly. Where each rank comes near its goal by
/// itself, the sum goes past it, and the next one leads back. So all of the sum is taken until sums begin to point back where the ones before
/// came from, and a smaller part while they do. Every rank finds the same part, from the same sums.
final class StepScale {
  /// Weight of what was seen before a sum.
  private static let memory: Float = 0.8
  /// Sums that point back, as a part of the ones before, by more than this have gone too far; up to half as much is what chance gives.
  private static let back: Float = 0.5

  private let least: Float
  private let most: Float
  private(set) var part: Float
  /// The sum before.
  private var last = FloatBuffer(count: 0)
  /// Of sums with the ones before, and of the ones before with themselves.
  private var products: (mixed: Float, square: Float) = (0, 0)

  /// - Parameters:
  ///   - least: the part that always goes far enough.
  ///   - most: the part that is right while each rank moves a little.
  init(least: Float, most: Float) {
    self.least = least
    self.most = most
    part = most
  }

  /// The part that is to be taken of `sum`.
  func next(_ sum: borrowing FloatBuffer) -> Float {
    guard least < most else { return most }
    let all = 0..<sum.count
    if last.count == sum.count {
      products.mixed = Self.memory * products.mixed + Reduce.dot(sum, all, last, at: 0)
      products.square = Self.memory * products.square + Reduce.sumOfSquares(last, all)
      if products.mixed < -Self.back * products.square {
        part = max(least, part * 0.7)
      } else if products.mixed > -Self.back / 2 * products.square {
        part = min(most, part * 1.1)
      }
    } else {
      last = FloatBuffer(count: sum.count)
    }
    last.copy(from: sum)
    return part
  }
}
