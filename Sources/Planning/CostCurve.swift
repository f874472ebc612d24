/// Seconds that something takes for so much work, from measured points: straight lines between them.
public struct CostCurve: Equatable, Sendable {
  public struct Point: Equatable, Sendable {
    /// Rows, floats or bytes.
    public var size: Double
    public var seconds: Double

    public init(size: Double, seconds: Double) {
      self.size = size
      self.seconds = seconds
    }
  }

  /// By size, each size once.
  public let points: [Point]

  /// - Parameter points: at least one, of any order; of points of the same size the slowest counts.
  public init(_ points: [Point]) {
    precondition(!points.isEmpty, "a curve without points")
    var sorted: [Point] = []
    for point in points.sorted(by: { ($0.size, $0.seconds) < ($1.size, $1.seconds) }) {
      if sorted.last?.size == point.size { sorted.removeLast() }
      sorted.append(point)
    }
    self.points = sorted
  }

  /// What takes `latency` seconds, and a second more for every `rate` of size.
  public init(latency: Double, rate: Double) {
    self.init([Point(size: 0, seconds: latency), Point(size: rate, seconds: latency + 1)])
  }

  /// Seconds for `size`: on the line between the points around it. Below the first point they shrink with the size, unless that point
  /// is at 0; beyond the last they grow as the last line does, or with the size where it does not rise.
  public func seconds(_ size: Double) -> Double {
    guard size > 0 else { return points[0].size == 0 ? points[0].seconds : 0 }
    guard let above = points.firstIndex(where: { $0.size >= size }) else { return beyond(size) }
    let to = points[above]
    guard above > 0 else { return to.size == 0 ? to.seconds : to.seconds * size / to.size }
    let from = points[above - 1]
    return from.seconds + (to.seconds - from.seconds) * (size - from.size) / (to.size - from.size)
  }

  public func seconds(_ size: Int) -> Double { seconds(Double(size)) }

  private func beyond(_ size: Double) -> Double {
    let last = points[points.count - 1]
    if points.count > 1 {
      let before = points[points.count - 2]
      let slope = (last.seconds - before.seconds) / (last.size - before.size)
      if slope > 0 { return last.seconds + slope * (size - last.size) }
    }
    return last.size > 0 ? last.seconds * size / last.size : last.seconds
  }
}
