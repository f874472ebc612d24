/// Where a rank's part of a tensor stands in the whole one.
extension ParameterLayout.Entry {
  /// Elements that stand side by side here and in the whole tensor.
  public struct Segment: Equatable, Sendable {
    /// The index of the first of them in the whole tensor.
    public let offset: Int
    /// Where they stand here, as `range` counts.
    public let local: Range<Int>
  }

  /// The elements in `local`, a part of `range`, cut where they do not stand side by side in the whole tensor; in order.
  public func segments(of local: Range<Int>) -> [Segment] {
    precondition(
      local.lowerBound >= range.lowerBound && local.upperBound <= range.upperBound, "elements \(local) of \(range)")
    let width = isBias ? 1 : shape[1]
    // Whole rows are one run.
    if columns.count == width {
      return local.isEmpty
        ? [] : [Segment(offset: rows.lowerBound * width + local.lowerBound - range.lowerBound, local: local)]
    }
    var segments: [Segment] = []
    var start = local.lowerBound
    while start < local.upperBound {
      let (row, column) = (start - range.lowerBound).quotientAndRemainder(dividingBy: columns.count)
      let end = min(start + columns.count - column, local.upperBound)
      segments.append(
        Segment(
          offset: (rows.lowerBound + row) * width + columns.lowerBound + column, local: start..<end))
      start = end
    }
    return segments
  }
}
