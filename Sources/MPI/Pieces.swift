import Synchronization

/// The one place that knows that MPI counts elements in an `Int32`: longer transfers are cut into pieces.
package enum Pieces {
  private static let largestCount = Atomic<Int>(Int(Int32.max))

  /// The most elements that one call of the library may be given. Tests lower it, on every rank alike.
  package static var limit: Int {
    get { largestCount.load(ordering: .relaxed) }
    set { largestCount.store(newValue, ordering: .relaxed) }
  }

  /// Calls `body` for each piece of `region`, in order; once, with nothing, for an empty one. For collectives on a count
  /// that all ranks know: they all make the same calls.
  /// - Parameter most: elements of a piece, where fewer are wanted.
  static func forEach(
    of region: Region, most: Int = .max, _ body: (_ piece: Region, _ count: Int32) throws(MPIError) -> Void
  ) throws(MPIError) {
    let limit = min(Self.limit, most)
    var start = 0
    repeat {
      let end = min(region.count, start + limit)
      let piece = region.slice(start..<end)
      try body(piece, Int32(piece.count))
      start = end
    } while start < region.count
  }

  /// The same for a message whose length the receiver does not know: the first piece shorter than the limit ends the
  /// message, so that one which fills its last piece is followed by an empty piece.
  static func forEachOfMessage(
    _ region: Region, _ body: (_ piece: Region, _ count: Int32) throws(MPIError) -> Void
  ) throws(MPIError) {
    let limit = Self.limit
    var start = 0
    var isLast = false
    while !isLast {
      let end = min(region.count, start + limit)
      let piece = region.slice(start..<end)
      isLast = piece.count < limit
      try body(piece, Int32(piece.count))
      start = end
    }
  }
}
