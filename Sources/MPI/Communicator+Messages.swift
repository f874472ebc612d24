import CMPI

extension Communicator {
  /// Sends `message` to rank `other`; may wait until it is received there.
  ///
  /// Corresponds to `MPI_Send` (MPI 3.1, section 3.2.1).
  /// - Parameter tag: 0 ... `maximumTag`; the receiver names the same.
  public borrowing func send<E: MPIElement>(_ message: Span<E>, to other: Int, tag: Int) throws(MPIError) {
    try send(Region(reading: message), to: other, tag: tag)
  }

  private borrowing func send(_ region: Region, to other: Int, tag: Int) throws(MPIError) {
    require(isRank: other, "message to rank")
    require(isTag: tag)
    try Pieces.forEachOfMessage(region) { piece, count throws(MPIError) in
      try unsafe check(
        MPI_Send(piece.base, count, piece.kind.datatype, Int32(other), Int32(tag), handle), "MPI_Send")
    }
  }

  /// Waits for a message of rank `other` and returns its number of elements, which may be less than there is room for.
  ///
  /// Corresponds to `MPI_Recv` (MPI 3.1, section 3.2.4).
  /// - Throws: `MPIError.Kind.truncated` where the message is longer than `buffer`.
  public borrowing func receive<E: MPIElement>(
    into buffer: inout MutableSpan<E>, from other: Int, tag: Int
  ) throws(MPIError) -> Int {
    try receive(Region(writing: &buffer), from: other, tag: tag)
  }

  private borrowing func receive(_ region: Region, from other: Int, tag: Int) throws(MPIError) -> Int {
    require(isRank: other, "message from rank")
    require(isTag: tag)
    let limit = Pieces.limit
    var arrived = 0
    while true {
      let room = region.slice(arrived..<min(region.count, arrived + limit))
      var status = MPI_Status()
      try unsafe check(
        MPI_Recv(
          room.base, Int32(room.count), room.kind.datatype, Int32(other), Int32(tag), handle, &status),
        "MPI_Recv")
      let count = try elements(of: status, kind: room.kind)
      arrived += count
      if count < limit { return arrived }
    }
  }

  /// Sends to one rank while receiving from another (or the same), without a deadlock; returns the number of elements
  /// received. The rank itself is allowed as either.
  ///
  /// Corresponds to `MPI_Sendrecv` (MPI 3.1, section 3.10).
  /// - Throws: `MPIError.Kind.truncated` where the message is longer than `buffer`.
  public borrowing func exchange<E: MPIElement>(
    _ message: Span<E>, to destination: Int, into buffer: inout MutableSpan<E>, from source: Int, tag: Int
  ) throws(MPIError) -> Int {
    try post(Region(reading: message), to: destination, tag: tag, on: requests)
    let count = try receive(Region(writing: &buffer), from: source, tag: tag)
    try requests.wait()
    return count
  }

  /// Waits for a message of rank `other`, of any length. Allocates.
  ///
  /// Corresponds to `MPI_Probe` and `MPI_Recv` (MPI 3.1, sections 3.8.1 and 3.2.4).
  public borrowing func receive<E: MPIElement>(from other: Int, tag: Int) throws(MPIError) -> [E] {
    require(isRank: other, "message from rank")
    require(isTag: tag)
    let limit = Pieces.limit
    var message: [E] = []
    while true {
      var status = MPI_Status()
      try unsafe check(MPI_Probe(Int32(other), Int32(tag), handle, &status), "MPI_Probe")
      let count = try elements(of: status, kind: E.elementKind)
      var piece = [E](repeating: .zero, count: count)
      var span = piece.mutableSpan
      let room = Region(writing: &span)
      try unsafe check(
        MPI_Recv(
          room.base, Int32(count), room.kind.datatype, Int32(other), Int32(tag), handle, cmpi_status_ignore()),
        "MPI_Recv")
      if message.isEmpty { message = piece } else { message += piece }
      if count < limit { return message }
    }
  }

  /// The rank whose message with this tag is waiting to be received here, if there is one. Never waits.
  ///
  /// Corresponds to `MPI_Iprobe` (MPI 3.1, section 3.8.1).
  public borrowing func waitingMessage(tag: Int) throws(MPIError) -> Int? {
    require(isTag: tag)
    var flag: Int32 = 0
    var status = MPI_Status()
    try unsafe check(MPI_Iprobe(MPI_ANY_SOURCE, Int32(tag), handle, &flag, &status), "MPI_Iprobe")
    return flag == 0 ? nil : Int(status.MPI_SOURCE)
  }

  borrowing func post(_ region: Region, to other: Int, tag: Int, on list: RequestList) throws(MPIError) {
    require(isRank: other, "message to rank")
    require(isTag: tag)
    try Pieces.forEachOfMessage(region) { piece, count throws(MPIError) in
      try list.add { request throws(MPIError) in
        try unsafe check(
          MPI_Isend(piece.base, count, piece.kind.datatype, Int32(other), Int32(tag), handle, &request.handle),
          "MPI_Isend")
      }
    }
  }

  /// For a message of exactly `region.count` elements.
  borrowing func postReceive(
    _ region: Region, from other: Int, tag: Int, on list: RequestList
  ) throws(MPIError) {
    require(isRank: other, "message from rank")
    require(isTag: tag)
    list.expected = (region.count, region.kind)
    try Pieces.forEachOfMessage(region) { piece, count throws(MPIError) in
      try list.add { request throws(MPIError) in
        try unsafe check(
          MPI_Irecv(piece.base, count, piece.kind.datatype, Int32(other), Int32(tag), handle, &request.handle),
          "MPI_Irecv")
      }
    }
  }

  private func require(isTag tag: Int) {
    precondition(0...Self.maximumTag ~= tag, "tag \(tag) is not in 0 ... \(Self.maximumTag)")
  }
}
