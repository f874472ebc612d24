import CMPI
import Glibc
import Watch

/// Memory that the ranks of a node share, and in which they wait for each other.
///
/// Every rank sees the same floats, zero at first, at an address of its own. What a rank has written before `barrier()` all others see
/// after it; between two barriers a float is written by one rank and read by none, or read only. (MPI's unified memory model, section
/// 11.4: the window is ordinary coherent memory, so the flags' release and acquire are the only ordering that is needed, and no call of
/// the library.)
///
/// The memory goes when the program ends: freeing a window is collective, and an error may pass by the end of a value's life.
@safe public final class SharedWindow {
  /// A rank's flag has a cache line of its own.
  private static let flagStride = 8
  private static let alignment = 64

  /// The number of floats.
  public let count: Int
  /// This rank among those of the node.
  public let rank: Int
  public let size: Int
  private let window: MPI_Win
  private let flags: UnsafeMutablePointer<UInt64>
  private let base: UnsafeMutablePointer<Float>
  /// The barriers that this rank has reached.
  private var round: UInt64 = 0

  /// Makes a window of `count` floats for all ranks of `node`, which must share memory (`splitByNode`).
  ///
  /// Collective: all ranks pass the same count. Where `room` says too little the library fails on one rank alone and lets the others
  /// wait: ask before. Corresponds to `MPI_Win_allocate_shared` (MPI 3.1, section 11.2.3).
  public init(count: Int, node: borrowing Communicator) throws(MPIError) {
    precondition(count >= 0, "a window of \(count) floats")
    try node.agree(on: .allocateShared, count: count)
    let bytes = Self.bytes(count: count, ranks: node.size)
    var window: MPI_Win? = cmpi_window_null()
    var start: UnsafeMutableRawPointer?
    // The first rank contributes everything; whose memory it is is decided by who touches a page first.
    try unsafe check(
      MPI_Win_allocate_shared(
        node.rank == 0 ? bytes : 0, 1, cmpi_info_null(), node.handle, &start, &window),
      "MPI_Win_allocate_shared")
    guard let window else { preconditionFailure("MPI gave no window") }
    var size: MPI_Aint = 0
    var unit: Int32 = 0
    try unsafe check(MPI_Win_shared_query(window, 0, &size, &unit, &start), "MPI_Win_shared_query")
    guard let start = unsafe start, size >= bytes else {
      throw MPIError(
        kind: .library, call: "MPI_Win_shared_query", text: "a window of \(size) bytes instead of \(bytes)")
    }
    // A page has the same offsets at every rank's address, so all ranks round alike.
    let aligned = unsafe start.alignedUp(toMultipleOf: Self.alignment)
    // A rank alone gets ordinary memory, which is as it was left; what is shared is zero from the system.
    if node.size == 1 { unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes) }
    self.count = count
    self.window = window
    rank = node.rank
    self.size = node.size
    unsafe flags = aligned.assumingMemoryBound(to: UInt64.self)
    let floats = unsafe aligned + Self.flagStride * node.size * MemoryLayout<UInt64>.stride
    unsafe base = floats.assumingMemoryBound(to: Float.self)
  }

  /// The bytes of memory that a window of `count` floats takes.
  public static func bytes(count: Int, ranks: Int) -> Int {
    count * MemoryLayout<Float>.stride + ranks * flagStride * MemoryLayout<UInt64>.stride + alignment
  }

  /// The bytes that windows can have on this machine now; nil where that cannot be known.
  public static var room: Int? {
    // Where Open MPI puts them; the directory of its session where this cannot be written.
    let directory = "/dev/shm"
    var status = statvfs()
    guard unsafe access(directory, W_OK) == 0, unsafe statvfs(directory, &status) == 0 else { return nil }
    let (bytes, isTooMuch) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
    return min(isTooMuch ? Int.max : bytes, largestFile)
  }

  /// The bytes that the file of a window may have beside what Open MPI adds to them: the limit of `ulimit -f`.
  private static var largestFile: Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
      return Int.max
    }
    return max(0, Int(clamping: limit.rlim_cur) - (1 << 16))
  }

  /// The floats in `range`.
  public func floats(_ range: Range<Int>) -> SharedFloats {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "floats \(range) of \(count)")
    return unsafe SharedFloats(UnsafeMutableBufferPointer(start: base + range.lowerBound, count: range.count), of: self)
  }

  /// Returns when every rank of the node has called it. Collective; takes no time where all come together.
  public func barrier() {
    round += 1
    unsafe cmpi_raise(flags + rank * Self.flagStride, round)
    for other in 0..<size where other != rank {
      if unsafe cmpi_flag(flags + other * Self.flagStride) < round { waitFor(other) }
    }
  }
}

extension SharedWindow {
  private func waitFor(_ other: Int) {
    Pulse.whileWaiting {
      var patience = Patience()
      while unsafe cmpi_flag(flags + other * Self.flagStride) < round { patience.wait() }
    }
  }
}

/// A run of floats of a `SharedWindow`, which lives as long as this does.
@safe public final class SharedFloats {
  @safe public let floatMemory: UnsafeMutableBufferPointer<Float>
  private let window: SharedWindow

  init(_ memory: UnsafeMutableBufferPointer<Float>, of window: SharedWindow) {
    unsafe floatMemory = memory
    self.window = window
  }
}
