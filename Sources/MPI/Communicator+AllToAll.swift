import CMPI

// Gather, scatter and allToAll are made of messages, not of MPI's collectives: there a rank knows only its own row of
// counts, so the ranks could not tell, without a message more, whether MPI's `Int32` displacements are enough for all of
// them. A pair of ranks knows what it exchanges. (Open MPI does the same inside.)
extension Communicator {
  /// Sends each rank its part of `source` and receives one from each.
  ///
  /// Shapes: what rank a sends to rank b (`sending.counts[b]` there) is what b receives from a (`receiving.counts[a]`).
  /// Collective. Corresponds to `MPI_Alltoallv` (MPI 3.1, section 5.8).
  /// - Parameter portion: the most elements of a message, the same on all ranks: a part that has more goes in several.
  public borrowing func allToAll<E: MPIElement>(
    _ source: Span<E>, _ sending: Partition, into target: inout MutableSpan<E>, _ receiving: Partition,
    portion: Int = .max
  ) throws(MPIError) {
    precondition(portion > 0, "messages of \(portion) elements")
    let sent = Region(reading: source)
    let received = Region(writing: &target)
    #if DEBUG
      try startAgreement(on: .allToAll, sent.kind, sending: sending, receiving: receiving).wait()
    #endif
    try postAllToAll(sent, sending, received, receiving, portion: portion, on: requests)
    try requests.wait()
  }

  /// `allToAll` of parts of the given sizes, one behind the other.
  public borrowing func allToAll<E: MPIElement>(
    _ source: Span<E>, counts sending: [Int], into target: inout MutableSpan<E>, counts receiving: [Int]
  ) throws(MPIError) {
    try allToAll(source, Partition(counts: sending), into: &target, Partition(counts: receiving))
  }

  borrowing func postAllToAll(
    _ sent: Region, _ sending: Partition, _ received: Region, _ receiving: Partition, portion: Int = .max,
    on list: RequestList
  ) throws(MPIError) {
    require(fits: sending, sent, "sent")
    require(fits: receiving, received, "received")
    // Each rank begins with its right neighbour, so that not all turn to rank 0 at once.
    for step in 1..<max(size, 1) {
      let other = (rank + size - step) % size
      try postReceive(received.slice(receiving.range(of: other)), from: other, portion: portion, on: list)
    }
    for step in 1..<max(size, 1) {
      let other = (rank + step) % size
      try postSend(sent.slice(sending.range(of: other)), to: other, portion: portion, on: list)
    }
    received.slice(receiving.range(of: rank)).copy(from: sent.slice(sending.range(of: rank)))
  }

  /// Sends a part whose length the receiver knows; nothing at all for an empty one.
  borrowing func postSend(
    _ region: Region, to other: Int, portion: Int = .max, on list: RequestList
  ) throws(MPIError) {
    if region.count == 0 { return }
    try Pieces.forEach(of: region, most: portion) { piece, count throws(MPIError) in
      try list.add { request throws(MPIError) in
        try unsafe check(
          MPI_Isend(piece.base, count, piece.kind.datatype, Int32(other), Self.ownTag, handle, &request.handle),
          "MPI_Isend")
      }
    }
  }

  /// Receives a part whose length the sender knows; nothing at all for an empty one.
  borrowing func postReceive(
    _ region: Region, from other: Int, portion: Int = .max, on list: RequestList
  ) throws(MPIError) {
    if region.count == 0 { return }
    try Pieces.forEach(of: region, most: portion) { piece, count throws(MPIError) in
      try list.add { request throws(MPIError) in
        try unsafe check(
          MPI_Irecv(piece.base, count, piece.kind.datatype, Int32(other), Self.ownTag, handle, &request.handle),
          "MPI_Irecv")
      }
    }
  }
}
