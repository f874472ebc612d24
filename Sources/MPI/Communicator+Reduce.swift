import CMPI

extension Communicator {
  /// Returns when every rank has called it.
  ///
  /// Collective. Corresponds to `MPI_Barrier` (MPI 3.1, section 5.3).
  public borrowing func barrier() throws(MPIError) {
    try agree(on: .barrier)
    try check(MPI_Barrier(handle), "MPI_Barrier")
  }

  /// Copies `buffer` of rank `root` to every rank.
  ///
  /// Collective: all ranks pass the same count. Corresponds to `MPI_Bcast` (MPI 3.1, section 5.4).
  public borrowing func broadcast<E: MPIElement>(_ buffer: inout MutableSpan<E>, root: Int) throws(MPIError) {
    try broadcast(Region(writing: &buffer), root: root)
  }

  borrowing func broadcast(_ region: Region, root: Int) throws(MPIError) {
    require(isRank: root, "root")
    try agree(on: .broadcast, region.kind, root: root, count: region.count)
    try Pieces.forEach(of: region) { piece, count throws(MPIError) in
      try unsafe check(MPI_Bcast(piece.base, count, piece.kind.datatype, Int32(root), handle), "MPI_Bcast")
    }
  }

  /// Combines `buffer` of all ranks element by element; every rank ends with the result.
  ///
  /// Collective: all ranks pass the same count and operation. Sums of floating-point numbers are added in an order that
  /// depends on the number of ranks. Corresponds to `MPI_Allreduce` (MPI 3.1, section 5.9.6).
  public borrowing func allReduce<E: MPIElement>(
    _ buffer: inout MutableSpan<E>, _ operation: Reduction
  ) throws(MPIError) {
    try allReduce(Region(writing: &buffer), operation)
  }

  borrowing func allReduce(_ region: Region, _ operation: Reduction) throws(MPIError) {
    try agree(on: .allReduce, region.kind, operation, count: region.count)
    try Pieces.forEach(of: region) { piece, count throws(MPIError) in
      try unsafe check(
        MPI_Allreduce(cmpi_in_place(), piece.base, count, piece.kind.datatype, operation.operation, handle),
        "MPI_Allreduce")
    }
  }

  /// Combines `buffer` of all ranks element by element; rank `root` ends with the result, the others keep what they had.
  ///
  /// Collective: all ranks pass the same count, operation and root. Corresponds to `MPI_Reduce` (MPI 3.1, section 5.9.1).
  public borrowing func reduce<E: MPIElement>(
    _ buffer: inout MutableSpan<E>, _ operation: Reduction, root: Int
  ) throws(MPIError) {
    require(isRank: root, "root")
    let region = Region(writing: &buffer)
    try agree(on: .reduce, region.kind, operation, root: root, count: region.count)
    try reduce(region, into: rank == root ? region : nil, operation, root: root)
  }

  /// `result` on the root alone; it is `region` itself, or does not overlap it.
  private borrowing func reduce(
    _ region: Region, into result: Region?, _ operation: Reduction, root: Int
  ) throws(MPIError) {
    var offset = 0
    try Pieces.forEach(of: region) { piece, count throws(MPIError) in
      let isInPlace = result.map { unsafe $0.base == region.base } ?? false
      try unsafe check(
        MPI_Reduce(
          isInPlace ? cmpi_in_place() : piece.base, result?.address(offset), count, piece.kind.datatype,
          operation.operation, Int32(root), handle),
        "MPI_Reduce")
      offset += piece.count
    }
  }

  /// Combines `buffer` of all ranks element by element and gives each rank its part of the result.
  ///
  /// Shapes: `buffer` holds the parts of all ranks one behind the other, `result` has room for this rank's part.
  /// Collective: all ranks pass the same partition, which has no gaps, and operation.
  /// Corresponds to `MPI_Reduce_scatter` (MPI 3.1, section 5.10.2).
  public borrowing func reduceScatter<E: MPIElement>(
    _ buffer: Span<E>, into result: inout MutableSpan<E>, _ partition: Partition, _ operation: Reduction
  ) throws(MPIError) {
    let source = Region(reading: buffer)
    let target = Region(writing: &result)
    require(fits: partition, source, "reduced")
    require(isDense: partition, part: target)
    try agree(on: .reduceScatter, source.kind, operation, partition: partition)
    let part = target.slice(0..<partition.counts[rank])
    if partition.end <= Pieces.limit {
      try unsafe check(
        MPI_Reduce_scatter(
          source.base, part.base, partition.narrowCounts, source.kind.datatype, operation.operation, handle),
        "MPI_Reduce_scatter")
    } else {
      for root in 0..<size {
        try reduce(
          source.slice(partition.range(of: root)), into: rank == root ? part : nil, operation, root: root)
      }
    }
  }

  func require(isDense partition: Partition, part: Region) {
    precondition(
      partition.end == partition.counts.reduce(0, +), "the parts of a reduction lie one behind the other")
    precondition(
      partition.counts[rank] <= part.count, "\(partition.counts[rank]) elements into room for \(part.count)")
  }
}
