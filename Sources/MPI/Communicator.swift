import CMPI

/// A group of ranks that exchange messages among themselves (MPI 3.1, chapter 6).
///
/// "Collective" operations are called by every rank of the communicator, in the same order. Debug builds check that the
/// calls fit together and throw `MPIError.Kind.mismatch` on every rank where they do not.
///
/// One thread at a time uses a communicator. After an error the library promises nothing about it: let the error reach
/// `Program.run`.
@safe public struct Communicator: ~Copyable {
  /// The tags of messages are 0 to this: the least that the standard promises, and one kept for this module.
  public static let maximumTag = 32766
  static let ownTag: Int32 = 32767

  /// This process's place, 0 ..< size.
  public let rank: Int
  /// The number of ranks.
  public let size: Int

  let handle: MPI_Comm
  private let isOwned: Bool
  /// The requests of blocking operations that are made of messages; kept, so that a call allocates nothing.
  let requests: RequestList
  #if DEBUG
    /// The same ranks on a channel of their own, for the checks.
    let shadow: MPI_Comm
  #endif

  /// All ranks of the program. Only `Program` makes one.
  static func world() throws(MPIError) -> Communicator {
    let world = cmpi_comm_world()
    try check(MPI_Comm_set_errhandler(world, cmpi_errors_return()), "MPI_Comm_set_errhandler")
    return try Communicator(handle: handle(world), isOwned: false)
  }

  /// Swift sees a handle as optional where it is a pointer (Open MPI), and as not where it is an integer (MPICH).
  private static func handle(_ handle: MPI_Comm?) -> MPI_Comm {
    guard let handle else { preconditionFailure("MPI gave no communicator") }
    return handle
  }

  /// Collective over the ranks of `handle`, in debug builds.
  init(handle: MPI_Comm, isOwned: Bool) throws(MPIError) {
    var rank: Int32 = 0
    var size: Int32 = 0
    try unsafe check(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
    try unsafe check(MPI_Comm_size(handle, &size), "MPI_Comm_size")
    #if DEBUG
      var shadow = cmpi_comm_null()
      try unsafe check(MPI_Comm_dup(handle, &shadow), "MPI_Comm_dup")
      self.shadow = Self.handle(shadow)
    #endif
    self.rank = Int(rank)
    self.size = Int(size)
    self.handle = handle
    self.isOwned = isOwned
    requests = RequestList(capacity: 2 * Int(size))
  }

  deinit {
    // A value that outlives `Program.run`, in a global for instance, must not touch the library after its end.
    var isFinalized: Int32 = 0
    guard unsafe MPI_Finalized(&isFinalized) == MPI_SUCCESS, isFinalized == 0 else { return }
    #if DEBUG
      var shadow = cmpi_comm_null()
      shadow = self.shadow
      unsafe MPI_Comm_free(&shadow)
    #endif
    // A failure to free is lost: there is nobody to tell, and what is lost is memory. Open MPI frees without waiting for
    // the other ranks, so that an error may pass by here.
    if isOwned {
      var handle = cmpi_comm_null()
      handle = self.handle
      unsafe MPI_Comm_free(&handle)
    }
  }

  /// The same ranks on a channel of their own: messages of one never meet those of the other.
  ///
  /// Collective. Corresponds to `MPI_Comm_dup` (MPI 3.1, section 6.4.2).
  public borrowing func duplicate() throws(MPIError) -> Communicator {
    try agree(on: .duplicate)
    var result = cmpi_comm_null()
    try unsafe check(MPI_Comm_dup(handle, &result), "MPI_Comm_dup")
    return try Communicator(handle: Communicator.handle(result), isOwned: true)
  }

  /// The ranks that give the same `color`, ordered by `key` and, where keys are equal, by their rank here.
  ///
  /// Collective; `nil` for a rank that gives no color. Corresponds to `MPI_Comm_split` (MPI 3.1, section 6.4.2).
  public borrowing func split(color: Int?, key: Int) throws(MPIError) -> Communicator? {
    precondition(
      Int32(exactly: color ?? 0).map { $0 >= 0 } ?? false && Int32(exactly: key) != nil,
      "color \(color ?? 0) must be 0 to \(Int32.max), key \(key) an Int32")
    try agree(on: .split)
    var result = cmpi_comm_null()
    let narrow = color.map { Int32($0) } ?? MPI_UNDEFINED
    try unsafe check(MPI_Comm_split(handle, narrow, Int32(key), &result), "MPI_Comm_split")
    guard color != nil else { return nil }
    return try Communicator(handle: Communicator.handle(result), isOwned: true)
  }

  /// The ranks that share memory with this one, ordered by their rank here.
  ///
  /// Collective. Corresponds to `MPI_Comm_split_type` with `MPI_COMM_TYPE_SHARED` (MPI 3.1, section 6.4.2).
  public borrowing func splitByNode() throws(MPIError) -> Communicator {
    try agree(on: .splitByNode)
    var result = cmpi_comm_null()
    try unsafe check(
      MPI_Comm_split_type(handle, cmpi_shared_memory(), Int32(rank), cmpi_info_null(), &result),
      "MPI_Comm_split_type")
    return try Communicator(handle: Communicator.handle(result), isOwned: true)
  }

  func require(isRank other: Int, _ role: StaticString) {
    precondition(other >= 0 && other < size, "\(role) \(other) of \(size) ranks")
  }

  func require(fits partition: Partition, _ region: Region, _ role: StaticString) {
    precondition(partition.counts.count == size, "\(partition.counts.count) \(role) counts for \(size) ranks")
    precondition(
      partition.end <= region.count, "\(role) parts end at \(partition.end), the buffer at \(region.count)")
  }
}
