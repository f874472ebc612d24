import CMPI
import Glibc
import Synchronization
import Watch

/// The MPI program from its first call to its last: the only place that starts, ends and aborts the library.
public enum Program {
  /// What the library allows threads to do, least first (MPI 3.1, section 12.4.3).
  public enum ThreadLevel: Int, Sendable, Comparable {
    case single, funneled, serialized, multiple

    public static func < (one: ThreadLevel, other: ThreadLevel) -> Bool { one.rawValue < other.rawValue }
  }

  /// Whether a launcher (`mpirun`, `srun`, ...) started this process. Needs no MPI.
  public static var isLaunched: Bool { Launch.current.isLaunched }

  /// What the library allows threads to do, once it runs; `single` before.
  public static var threadLevel: ThreadLevel {
    guard isRunning else { return .single }
    var level: Int32 = 0
    guard unsafe MPI_Query_thread(&level) == MPI_SUCCESS else { return .single }
    switch level {
    case Int32(MPI_THREAD_MULTIPLE): return .multiple
    case Int32(MPI_THREAD_SERIALIZED): return .serialized
    case Int32(MPI_THREAD_FUNNELED): return .funneled
    default: return .single
    }
  }

  /// The library's name and version in its own words, such as `Open MPI v4.1.4, ...`. Needs no running MPI.
  public static var libraryVersion: String {
    var length: Int32 = 0
    return unsafe String(unsafeUninitializedCapacity: Int(MPI_MAX_LIBRARY_VERSION_STRING)) { bytes in
      let code = unsafe bytes.withMemoryRebound(to: CChar.self) {
        unsafe MPI_Get_library_version($0.baseAddress, &length)
      }
      return code == MPI_SUCCESS ? Int(length) : 0
    }
  }

  /// Runs `body` on every rank that was started, and ends the process; without a launcher, as a world of one.
  ///
  /// Ends in one of three ways:
  /// - `body` returns on every rank: all exit with the largest code that any returned. Ranks agree on it first, so a rank
  ///   that others must not wait for has to throw.
  /// - `body` throws: `report` prints the error and gives the exit code; then all ranks are ended with this code, wherever
  ///   they are. Codes are 1 to 125, so that those of mpirun for signals stay distinct.
  /// - The environment says that more ranks were started than MPI sees, or that they cannot reach each other: rank 0
  ///   reports this, and all exit with 69.
  ///
  /// - Parameters:
  ///   - limit: of the library's start and of its end, in which each rank waits for all others.
  ///   - report: given the error and the rank that threw it. Its output needs no flush.
  public static func run(
    limit: CallLimit? = nil, report: (_ error: any Error, _ rank: Int) -> Int32,
    _ body: (borrowing Communicator) throws -> Int32
  ) -> Never {
    let launch = Launch.current
    if launch.isLaunched { Parent.dieWithLauncher() }
    var rank = launch.rank ?? 0
    var code: Int32
    do {
      // Open MPI would end the process in MPI_Init, with a page about how it was built and exit code 1.
      if launch.isUnconnectedStep, libraryVersion.hasPrefix("Open MPI") { leave(.unconnectedStep, launch, report) }
      try watched("MPI_Init", limit, launch) { try start() }
      let world = try Communicator.world()
      rank = world.rank
      if let started = launch.size, started > world.size {
        leave(.foreignLauncher(started: started, seen: world.size), launch, report)
      }
      let own = try body(world)
      code = try watched("MPI_Finalize", limit, launch) {
        let code = try end(world, with: own)
        finalize()
        return code
      }
    } catch {
      code = report(error, rank)
      abort(code: code)
    }
    finish(code: code)
  }

  /// Ends all ranks with this exit code, at once. For a rank that cannot throw, such as one whose thread watches another.
  public static func abort(code: Int32) -> Never {
    fflush(nil)
    guard isRunning else { exit(code) }
    // Alone there is nobody to end, and the library would print a page about it.
    var size: Int32 = 0
    if unsafe MPI_Comm_size(cmpi_comm_world(), &size) == MPI_SUCCESS, size > 1 || isLaunched {
      MPI_Abort(cmpi_comm_world(), code)
      _exit(code)
    }
    finish(code: code)
  }

  /// Ends all ranks with this exit code from a thread that watches one which hangs. Whatever else hangs with it (the library, the
  /// output), this process ends within seconds.
  /// - Parameter report: says why, before.
  public static func endAll(code: Int32, _ report: () -> Void) -> Never {
    endCode.store(code, ordering: .relaxed)
    _ = signal(SIGALRM) { _ in _exit(Program.endCode.load(ordering: .relaxed)) }
    alarm(endSeconds)
    report()
    // From another thread than the one that is inside the library: it sends a message to mpirun and ends the process.
    if isRunning, isLaunched { MPI_Abort(cmpi_comm_world(), code) }
    _exit(code)
  }

  private static let endCode = Atomic<Int32>(0)
  /// Seconds for the report and for mpirun to end all ranks.
  private static let endSeconds: UInt32 = 5

  private static func start() throws(MPIError) {
    var level: Int32 = 0
    try unsafe check(MPI_Init_thread(nil, nil, Int32(MPI_THREAD_SERIALIZED), &level), "MPI_Init_thread")
  }

  /// All ranks agree on the exit code: mpirun would take that of any rank, and a scheduler that of another.
  private static func end(_ world: borrowing Communicator, with code: Int32) throws -> Int32 {
    let abandoned = RequestList.abandoned.load(ordering: .relaxed)
    if abandoned > 0 {
      throw MPIError(
        kind: .library, call: "MPI_Finalize", text: "operations that were started and never waited for: \(abandoned)")
    }
    return try world.allReduce([code], .maximum)[0]
  }

  private static func finish(code: Int32) -> Never {
    finalize()
    exit(code)
  }

  private static func finalize() {
    fflush(nil)
    // With operations left to the library, its end might wait for them.
    if isRunning, RequestList.abandoned.load(ordering: .relaxed) == 0 { MPI_Finalize() }
  }

  /// Runs `body`, in which this rank waits for all others, within the limit.
  private static func watched<Result>(
    _ call: String, _ limit: CallLimit?, _ launch: Launch, _ body: () throws -> Result
  ) throws -> Result {
    guard let limit, launch.isLaunched else { return try body() }
    let rank = launch.rank ?? 0
    let watch = try CallWatch(limit: limit.seconds) {
      // The first to speak ends the others.
      usleep(250_000 * UInt32(min(rank, 20)))
      limit.raise(call)
    }
    defer { watch.end() }
    return try body()
  }

  /// Between `MPI_Init` and `MPI_Finalize`.
  private static var isRunning: Bool {
    var isInitialized: Int32 = 0
    var isFinalized: Int32 = 0
    return unsafe MPI_Initialized(&isInitialized) == MPI_SUCCESS && isInitialized != 0
      && MPI_Finalized(&isFinalized) == MPI_SUCCESS && isFinalized == 0
  }

  /// The ranks cannot reach each other, so each ends by itself; rank 0 speaks, and the others give it time to.
  private static func leave(
    _ error: MPIError, _ launch: Launch, _ report: (_ error: any Error, _ rank: Int) -> Int32
  ) -> Never {
    // A needed service is missing, whatever else `report` gives for errors of MPI.
    let serviceMissing: Int32 = 69
    if launch.rank ?? 0 == 0 { _ = report(error, 0) } else { sleep(1) }
    finish(code: serviceMissing)
  }
}

extension MPIError {
  fileprivate static func foreignLauncher(started: Int, seen: Int) -> MPIError {
    let library = Program.libraryVersion.split(separator: ",").first.map(String.init) ?? "the MPI library"
    return MPIError(
      kind: .foreignLauncher, call: "MPI_Init",
      text: """
        the launcher started \(started) ranks, but this program sees \(seen). It is linked against \(library): start it \
        with the mpirun of that library (under Slurm: srun --mpi=pmix), or build it with the MPI of this launcher
        """)
  }

  fileprivate static var unconnectedStep: MPIError {
    MPIError(
      kind: .foreignLauncher, call: "MPI_Init",
      text: "srun started this program without connecting its ranks: use srun --mpi=pmix, or mpirun")
  }
}
