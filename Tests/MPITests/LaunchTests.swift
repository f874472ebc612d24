import Testing

@testable import MPI

/// What the environment says about how a process was started.
@Suite struct LaunchTests {
  @Test func readsTheInnermostLauncher() {
    func launch(_ variables: [String: String]) -> Launch { Launch { variables[$0] } }
    #expect(launch([:]) == Launch(size: nil, rank: nil))
    #expect(!launch([:]).isLaunched)
    #expect(launch(["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"]) == Launch(size: 4, rank: 3))
    #expect(launch(["PMI_SIZE": "2", "PMI_RANK": "1"]) == Launch(size: 2, rank: 1))
    // A batch script of Slurm, in which nothing was launched yet.
    #expect(!launch(["SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"]).isLaunched)
    // mpirun in a job: its helpers are the step's tasks.
    let both = [
      "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_STEP_ID": "0", "OMPI_COMM_WORLD_SIZE": "16",
      "OMPI_COMM_WORLD_RANK": "9",
    ]
    #expect(launch(both) == Launch(size: 16, rank: 9))
    let step = ["SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_STEP_ID": "0"]
    #expect(launch(step) == Launch(size: 2, rank: 1, isUnconnectedStep: true))
    #expect(launch(step.merging(["PMIX_RANK": "1"]) { $1 }) == Launch(size: 2, rank: 1))
    #expect(!launch(["PMI_SIZE": "many", "PMI_RANK": "1"]).isLaunched)
  }

  @Test(arguments: [
    ["OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "0"], ["PMI_SIZE": "3", "PMI_RANK": "0"],
    ["SLURM_STEP_NUM_TASKS": "3", "SLURM_PROCID": "0"],
  ])
  func moreRanksThanMPISees(variables: [String: String]) throws {
    let outcome = try RankLauncher.run(["world"], ranks: nil, environment: variables)
    #expect(outcome.exitCode == 69, "\(outcome)")
    #expect(outcome.output.hasPrefix("rank 0: MPI_Init: the launcher started 3 ranks, but this program sees 1."))
    #expect(outcome.errors == "")
  }

  @Test func onlyRankZeroSpeaks() throws {
    let outcome = try RankLauncher.run(["world"], ranks: nil, environment: ["PMI_SIZE": "3", "PMI_RANK": "2"])
    #expect(outcome.exitCode == 69, "\(outcome)")
    #expect(outcome.output == "")
  }

  @Test func stepWithoutConnection() throws {
    let variables = [
      "SLURM_STEP_ID": "0", "SLURM_STEPID": "0", "SLURM_JOB_ID": "7", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0",
    ]
    let outcome = try RankLauncher.run(["world"], ranks: nil, environment: variables)
    #expect(outcome.exitCode == 69, "\(outcome)")
    #expect(outcome.output.contains("srun --mpi=pmix"))
  }

  @Test func batchScript() throws {
    let variables = ["SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7", "SLURM_NNODES": "1"]
    let outcome = try RankLauncher.run(["world"], ranks: nil, environment: variables)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.output == "rank 0 of 1\n")
  }
}
