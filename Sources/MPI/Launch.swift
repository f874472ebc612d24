import CMPI
import Glibc

/// What the environment says about how this process was started.
struct Launch: Equatable {
  /// The number of ranks that were started together, where a launcher says so.
  var size: Int?
  /// This process's number among them.
  var rank: Int?
  /// Started as a step of Slurm, without anything through which the ranks could find each other.
  var isUnconnectedStep = false

  /// Whether a launcher started this process, alone or with others.
  var isLaunched: Bool { rank != nil }
}

extension Launch {
  /// The variables of a launcher, innermost first: under `mpirun` inside a Slurm job both sets are there, and Slurm's then
  /// describe mpirun's helpers.
  ///
  /// `SLURM_NTASKS` and `SLURM_PROCID` are missing here on purpose: a batch script has them too, in which no rank runs yet.
  /// Only a step (`srun`) has `SLURM_STEP_NUM_TASKS`.
  private static let launchers: [(size: String, rank: String)] = [
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  // Open MPI's mpirun
    ("PMI_SIZE", "PMI_RANK"),  // MPICH, Intel MPI
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),  // MVAPICH2
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),  // srun
  ]

  init(_ variable: (String) -> String?) {
    isUnconnectedStep = Self.isUnconnectedStep(variable)
    for names in Self.launchers {
      guard let size = variable(names.size).flatMap({ Int($0) }), size > 0,
        let rank = variable(names.rank).flatMap({ Int($0) }), rank >= 0
      else { continue }
      self.size = size
      self.rank = rank
      return
    }
    rank = variable("PMIX_RANK").flatMap { Int($0) }
  }

  private static func isUnconnectedStep(_ variable: (String) -> String?) -> Bool {
    let isStep = variable("SLURM_STEP_ID") != nil || variable("SLURM_STEPID") != nil
    return isStep && ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PMI_FD"].allSatisfy { variable($0) == nil }
  }

  /// This process's. Read once, before MPI starts: a world of one under Open MPI then looks like one that mpirun started.
  static let current = Launch { name in unsafe getenv(name).map { unsafe String(cString: $0) } }
}

/// The process that started this one.
enum Parent {
  /// Programs that start ranks. Their death must take the ranks along; that of a shell or a debugger between them need
  /// not, and a driver that starts ranks from a thread which then ends would kill them.
  private static let launchers = ["mpirun", "mpiexec", "orterun", "orted", "prte", "slurmstepd", "hydra", "pmi_proxy"]

  /// Asks the kernel to kill this process when its parent dies, if the parent is a launcher: after `kill -9` of `mpirun`
  /// nobody else would, and ranks that compute would go on.
  static func dieWithLauncher() {
    let parent = getppid()
    guard let name = name(of: parent), launchers.contains(where: { name.hasPrefix($0) }) else { return }
    guard cmpi_die_with_parent() == 0 else { return }
    // It may have died before the kernel was asked.
    if getppid() != parent { _exit(128 + SIGKILL) }
  }

  private static func name(of process: pid_t) -> String? {
    let descriptor = unsafe open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
      let count = unsafe read(descriptor, bytes.baseAddress, bytes.count)
      return count > 0 ? unsafe String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
  }
}
