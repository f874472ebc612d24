import CMPI

// The non-blocking forms (MPI 3.1, sections 3.7 and 5.12): they start, own their buffer, and give it back from `wait()`.
// All take the elements they concern as a range of the buffer; without one, all of it.
extension Communicator {
  /// Starts `send` of the elements `range`. Corresponds to `MPI_Isend`.
  public borrowing func startSend<B: TransferBuffer & ~Copyable>(
    _ buffer: consuming B, range: Range<Int>? = nil, to other: Int, tag: Int
  ) throws(MPIError) -> Pending<B> {
    try start(buffer) { buffer, list throws(MPIError) in
      let region = Region(reading: buffer.span)
      try post(region.slice(range ?? 0..<region.count), to: other, tag: tag, on: list)
    }
  }

  /// Starts `receive` into the elements `range`, of a message of exactly that length: `wait()` throws
  /// `MPIError.Kind.short` or `.truncated` for any other. Corresponds to `MPI_Irecv`.
  public borrowing func startReceive<B: TransferBuffer & ~Copyable>(
    into buffer: consuming B, range: Range<Int>? = nil, from other: Int, tag: Int
  ) throws(MPIError) -> Pending<B> {
    try start(buffer) { buffer, list throws(MPIError) in
      let region = writable(&buffer, range)
      try postReceive(region, from: other, tag: tag, on: list)
    }
  }

  /// Starts `barrier`. Collective. Corresponds to `MPI_Ibarrier`.
  public borrowing func startBarrier() throws(MPIError) -> Request {
    let list = RequestList(capacity: 1)
    #if DEBUG
      list.agreement = try startAgreement(on: .startBarrier)
    #endif
    try list.add { request throws(MPIError) in
      try unsafe check(MPI_Ibarrier(handle, &request.handle), "MPI_Ibarrier")
    }
    return Request(list)
  }

  /// Starts `broadcast` of the elements `range`. Collective. Corresponds to `MPI_Ibcast`.
  public borrowing func startBroadcast<B: TransferBuffer & ~Copyable>(
    _ buffer: consuming B, range: Range<Int>? = nil, root: Int
  ) throws(MPIError) -> Pending<B> {
    require(isRank: root, "root")
    return try start(buffer) { buffer, list throws(MPIError) in
      let region = writable(&buffer, range)
      #if DEBUG
        list.agreement = try startAgreement(on: .startBroadcast, region.kind, root: root, count: region.count)
      #endif
      try postBroadcast(region, root: root, on: list)
    }
  }

  /// Starts `allReduce` of the elements `range`. Collective. Corresponds to `MPI_Iallreduce`.
  public borrowing func startAllReduce<B: TransferBuffer & ~Copyable>(
    _ buffer: consuming B, range: Range<Int>? = nil, _ operation: Reduction
  ) throws(MPIError) -> Pending<B> {
    try start(buffer) { buffer, list throws(MPIError) in
      let region = writable(&buffer, range)
      #if DEBUG
        list.agreement = try startAgreement(on: .startAllReduce, region.kind, operation, count: region.count)
      #endif
      try Pieces.forEach(of: region) { piece, count throws(MPIError) in
        try list.add { request throws(MPIError) in
          try unsafe check(
            MPI_Iallreduce(
              cmpi_in_place(), piece.base, count, piece.kind.datatype, operation.operation, handle, &request.handle),
            "MPI_Iallreduce")
        }
      }
    }
  }

  /// Starts `reduceScatter`: `received` holds this rank's part at its beginning when it ends. Collective.
  /// Corresponds to `MPI_Ireduce_scatter`.
  public borrowing func startReduceScatter<
    S: TransferBuffer & ~Copyable, R: TransferBuffer & ~Copyable
  >(
    _ buffer: consuming S, into result: consuming R, _ partition: Partition, _ operation: Reduction
  ) throws(MPIError) -> Pending<TransferPair<S, R>> where S.Element == R.Element {
    try start(TransferPair(sent: buffer, received: result)) { pair, list throws(MPIError) in
      let source = Region(reading: pair.sent.span)
      let target = writable(&pair.received, nil)
      require(fits: partition, source, "reduced")
      require(isDense: partition, part: target)
      #if DEBUG
        list.agreement = try startAgreement(on: .startReduceScatter, source.kind, operation, partition: partition)
      #endif
      try postReduceScatter(source, into: target.slice(0..<partition.counts[rank]), partition, operation, on: list)
    }
  }

  /// Starts `allGather` where each rank has its own part in place. Collective. Corresponds to `MPI_Iallgatherv`.
  public borrowing func startAllGather<B: TransferBuffer & ~Copyable>(
    inPlace buffer: consuming B, _ partition: Partition
  ) throws(MPIError) -> Pending<B> {
    try start(buffer) { buffer, list throws(MPIError) in
      let region = writable(&buffer, nil)
      require(fits: partition, region, "gathered")
      #if DEBUG
        list.agreement = try startAgreement(on: .startAllGather, region.kind, partition: partition)
      #endif
      guard partition.end > Pieces.limit else {
        return try list.add { request throws(MPIError) in
          try unsafe check(
            MPI_Iallgatherv(
              cmpi_in_place(), 0, region.kind.datatype, region.base, partition.narrowCounts,
              partition.narrowDisplacements, region.kind.datatype, handle, &request.handle),
            "MPI_Iallgatherv")
        }
      }
      for root in 0..<size { try postBroadcast(region.slice(partition.range(of: root)), root: root, on: list) }
    }
  }

  /// Starts `allToAll`. Collective. Corresponds to `MPI_Ialltoallv`.
  public borrowing func startAllToAll<S: TransferBuffer & ~Copyable, R: TransferBuffer & ~Copyable>(
    _ source: consuming S, _ sending: Partition, into target: consuming R, _ receiving: Partition
  ) throws(MPIError) -> Pending<TransferPair<S, R>> where S.Element == R.Element {
    try start(TransferPair(sent: source, received: target)) { pair, list throws(MPIError) in
      let source = Region(reading: pair.sent.span)
      let target = writable(&pair.received, nil)
      #if DEBUG
        list.agreement = try startAgreement(
          on: .startAllToAll, source.kind, sending: sending, receiving: receiving)
      #endif
      try postAllToAll(source, sending, target, receiving, on: list)
    }
  }

  /// Puts `buffer` where it stays, and lets `post` begin with it there.
  private borrowing func start<Buffer: ~Copyable>(
    _ buffer: consuming Buffer, _ post: (inout Buffer, RequestList) throws(MPIError) -> Void
  ) throws(MPIError) -> Pending<Buffer> {
    let place = UnsafeMutablePointer<Buffer>.allocate(capacity: 1)
    unsafe place.initialize(to: buffer)
    let list = RequestList(capacity: 2)
    let pending = unsafe Pending(list, owning: place)
    try unsafe post(&place.pointee, list)
    return pending
  }

  private func writable<B: TransferBuffer & ~Copyable>(_ buffer: inout B, _ range: Range<Int>?) -> Region {
    let region = Region(placeOf: buffer.mutableSpan)
    return region.slice(range ?? 0..<region.count)
  }

  private borrowing func postBroadcast(_ region: Region, root: Int, on list: RequestList) throws(MPIError) {
    try Pieces.forEach(of: region) { piece, count throws(MPIError) in
      try list.add { request throws(MPIError) in
        try unsafe check(
          MPI_Ibcast(piece.base, count, piece.kind.datatype, Int32(root), handle, &request.handle), "MPI_Ibcast")
      }
    }
  }

  private borrowing func postReduceScatter(
    _ source: Region, into part: Region, _ partition: Partition, _ operation: Reduction, on list: RequestList
  ) throws(MPIError) {
    guard partition.end > Pieces.limit else {
      return try list.add { request throws(MPIError) in
        try unsafe check(
          MPI_Ireduce_scatter(
            source.base, part.base, partition.narrowCounts, source.kind.datatype, operation.operation, handle,
            &request.handle),
          "MPI_Ireduce_scatter")
      }
    }
    for root in 0..<size {
      var offset = 0
      try Pieces.forEach(of: source.slice(partition.range(of: root))) { piece, count throws(MPIError) in
        try list.add { request throws(MPIError) in
          try unsafe check(
            MPI_Ireduce(
              piece.base, rank == root ? part.address(offset) : nil, count, piece.kind.datatype,
              operation.operation, Int32(root), handle, &request.handle),
            "MPI_Ireduce")
        }
        offset += piece.count
      }
    }
  }
}
