import Foundation
import TestSupport
import Testing

/// A batch script for several nodes, submitted to a real Slurm of two. (`mpirun` would need two machines: it knows a node by the name of its
/// host.)
@Suite(
  .serialized, .localSlurm(nodes: 2),
  .enabled(if: SlurmLocal.isInstalled, "needs munged, slurmctld and slurmd, which Scripts/setup installs"))
struct SlurmNodesTests {
  @Test func trainsOnTwoNodes() async throws {
    let slurm = try #require(SlurmLocal.current)
    let folder = try JobsFolder()
    let commands = try JobsFolder.commands("hybrid")
    try folder.text(commands[0])
    let short = try folder.directory.readText("Jobs/hybrid/job.json").replacing("epochs: 10,", with: "epochs: 2,")
    try #require(short.contains("epochs: 2,"))
    try folder.directory.write(text: short, to: "short.json")

    // The nodes are one machine all the same: each would take the other's shared memory for its own.
    let number = try slurm.submit(
      "Jobs/hybrid/run.sbatch", "LAUNCHER=srun", "JOB=short.json", "OMPI_MCA_btl=^vader", in: folder)
    let job = try await slurm.wait(for: number)
    let log = try folder.directory.readText("hybrid-\(number).log")
    try #require(job["JobState"] == "COMPLETED", "\(job)\n\(log)")
    #expect(job["ExitCode"] == "0:0")
    #expect(job["NumNodes"] == "2" && job["NumCPUs"] == "8")
    #expect(log.contains("8 ranks"), "\(log)")

    let model = try folder.directory.read("runs/hybrid/model.safetensors")
    try folder.text("mpirun -n 4 apus train short.json --overwrite")
    #expect(try folder.directory.read("runs/hybrid/model.safetensors") == model, "as on one node")
  }
}
