import CMPI

extension Communicator {
  /// Collects `part` of every rank; every rank ends with all parts.
  ///
  /// Shapes: rank r passes `partition.counts[r]` elements; `result` holds `partition.end`.
  /// Collective: all ranks pass the same counts. Corresponds to `MPI_Allgatherv` (MPI 3.1, section 5.7).
  public borrowing func allGather<E: MPIElement>(
    _ part: Span<E>, into result: inout MutableSpan<E>, _ partition: Partition
  ) throws(MPIError) {
    let source = Region(reading: part)
    let target = Region(writing: &result)
    require(fits: partition, target, "gathered")
    precondition(
      source.count == partition.counts[rank], "\(source.count) elements for a part of \(partition.counts[rank])")
    target.slice(partition.range(of: rank)).copy(from: source)
    try allGather(target, partition)
  }

  /// Collects the parts of all ranks where each already has its own in place: `buffer` of rank r holds its part at
  /// `partition.range(of: r)`, and ends with all of them.
  ///
  /// Collective: all ranks pass the same counts. Corresponds to `MPI_Allgatherv` (MPI 3.1, section 5.7).
  public borrowing func allGather<E: MPIElement>(
    inPlace buffer: inout MutableSpan<E>, _ partition: Partition
  ) throws(MPIError) {
    let region = Region(writing: &buffer)
    require(fits: partition, region, "gathered")
    try allGather(region, partition)
  }

  private borrowing func allGather(_ region: Region, _ partition: Partition) throws(MPIError) {
    try agree(on: .allGather, region.kind, partition: partition)
    if partition.end <= Pieces.limit {
      try unsafe check(
        MPI_Allgatherv(
          cmpi_in_place(), 0, region.kind.datatype, region.base, partition.narrowCounts,
          partition.narrowDisplacements, region.kind.datatype, handle),
        "MPI_Allgatherv")
    } else {
      for root in 0..<size {
        try Pieces.forEach(of: region.slice(partition.range(of: root))) { piece, count throws(MPIError) in
          try unsafe check(MPI_Bcast(piece.base, count, piece.kind.datatype, Int32(root), handle), "MPI_Bcast")
        }
      }
    }
  }

  /// `allGather` of parts of the given sizes, one behind the other.
  public borrowing func allGather<E: MPIElement>(
    _ part: Span<E>, into result: inout MutableSpan<E>, counts: [Int]
  ) throws(MPIError) {
    try allGather(part, into: &result, Partition(counts: counts))
  }

  /// Collects `part` of every rank on rank `root`.
  ///
  /// Shapes: rank r passes `partition.counts[r]` elements; `result` holds `partition.end` on the root and is left alone
  /// elsewhere. Collective; the root alone needs the partition. Corresponds to `MPI_Gatherv` (MPI 3.1, section 5.5).
  public borrowing func gather<E: MPIElement>(
    _ part: Span<E>, into result: inout MutableSpan<E>, _ partition: Partition?, root: Int
  ) throws(MPIError) {
    require(isRank: root, "root")
    let source = Region(reading: part)
    let target = Region(writing: &result)
    #if DEBUG
      try startAgreement(
        on: .gather, source.kind, root: root, sending: toOne(root, source.count),
        receiving: rank == root ? partition : nil
      ).wait()
    #endif
    if rank == root {
      guard let partition else { preconditionFailure("the root gathers without a partition") }
      require(fits: partition, target, "gathered")
      precondition(
        source.count == partition.counts[rank], "\(source.count) elements for a part of \(partition.counts[rank])")
      target.slice(partition.range(of: rank)).copy(from: source)
      for other in 0..<size where other != root {
        try postReceive(target.slice(partition.range(of: other)), from: other, on: requests)
      }
    } else {
      try postSend(source, to: root, on: requests)
    }
    try requests.wait()
  }

  /// Gives each rank its part of `buffer` of rank `root`.
  ///
  /// Shapes: `buffer` holds `partition.end` elements on the root and is not read elsewhere; `part` holds exactly this
  /// rank's part. Collective; the root alone needs the partition. Corresponds to `MPI_Scatterv` (MPI 3.1, section 5.6).
  public borrowing func scatter<E: MPIElement>(
    _ buffer: Span<E>, _ partition: Partition?, into part: inout MutableSpan<E>, root: Int
  ) throws(MPIError) {
    require(isRank: root, "root")
    let source = Region(reading: buffer)
    let target = Region(writing: &part)
    #if DEBUG
      try startAgreement(
        on: .scatter, source.kind, root: root, sending: rank == root ? partition : nil,
        receiving: toOne(root, target.count)
      ).wait()
    #endif
    if rank == root {
      guard let partition else { preconditionFailure("the root scatters without a partition") }
      require(fits: partition, source, "scattered")
      target.copy(from: source.slice(partition.range(of: rank)))
      for other in 0..<size where other != root {
        try postSend(source.slice(partition.range(of: other)), to: other, on: requests)
      }
    } else {
      try postReceive(target, from: root, on: requests)
    }
    try requests.wait()
  }

  #if DEBUG
    /// A row of counts in which only the root's is known to matter.
    private func toOne(_ root: Int, _ count: Int) -> Partition {
      var counts = [Int](repeating: 0, count: size)
      counts[root] = count
      return Partition(counts: counts)
    }
  #endif
}
