import Foundation

/// Starts programs on several ranks of this machine.
public enum MPILauncher {
  /// Runs `program` on `ranks` ranks under `mpirun` to its end, or to its timeout.
  ///
  /// Works with more ranks than cores and as root. Parameters and result as in ``Run/program(_:_:environment:workingDirectory:input:timeout:)``.
  /// - Parameter options: more options of `mpirun`, put before the program.
  public static func run(
    ranks: Int, _ program: String, _ arguments: [String] = [], options: [String] = [],
    environment: [String: String?] = [:], workingDirectory: String? = nil, input: String = "",
    timeout: Duration = Patience.most
  ) throws -> RunResult {
    try start(
      ranks: ranks, program, arguments, options: options, environment: environment, workingDirectory: workingDirectory,
      input: input
    ).wait(timeout: timeout)
  }

  /// Starts `program` on `ranks` ranks under `mpirun` and returns at once.
  public static func start(
    ranks: Int, _ program: String, _ arguments: [String] = [], options: [String] = [],
    environment: [String: String?] = [:], workingDirectory: String? = nil, input: String = ""
  ) throws -> RunningProgram {
    try Run.start(
      "mpirun", flags(ranks: ranks) + options + [program] + arguments,
      environment: Self.environment.merging(environment) { _, given in given },
      workingDirectory: workingDirectory, input: input)
  }

  /// Once a rank has failed, `mpirun` gives the others a second between SIGTERM and SIGKILL, also where they have ended by themselves.
  public static let impatient = ["--mca", "odls_base_sigkill_timeout", "0"]

  /// What lets several ranks share few cores.
  public static func flags(ranks: Int) -> [String] {
    ["-n", String(ranks), "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"]
  }

  /// What ranks find in the environment: root is allowed, one thread a rank, no backtracer (it can hold a crash up for minutes), and
  /// nothing of an outer job, which would make `mpirun` look for the outer job's nodes.
  public static let environment: [String: String?] = {
    var environment: [String: String?] = [
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "SWIFT_BACKTRACE": "enable=no",
    ]
    for name in ProcessInfo.processInfo.environment.keys {
      let outer = ["SLURM_", "PMI_", "PMIX_", "OMPI_COMM_", "OMPI_UNIVERSE"].contains { name.hasPrefix($0) }
      if outer { environment.updateValue(nil, forKey: name) }
    }
    return environment
  }()
}
