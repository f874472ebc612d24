import Failures
import Files
import Glibc
import MPI
import Training

/// Cases on files that all ranks write together.
let sharedFileCases: [RankCase] = [
  RankCase("faultyWrites") { world in
    guard let scratch = Machine.environment("APUS_SCRATCH") else { throw CaseFailure("APUS_SCRATCH is not set") }
    _ = try numberedDataset(shards: [7, 5], columns: 4, classes: 3, world: world) { Float($0 * 3 % 7) + Float($1) }
    for (pipeline, tensor) in [(1, 1), (world.size, 1), (1, world.size)] {
      let training = FaultyTraining(pipeline: pipeline, tensor: tensor, scratch: scratch)
      // Short transfers are carried on and never seen.
      let short = FaultPlan(first: 1, effect: .cutShort, persists: true)
      try expect(try training.run(short, world), nil, "short transfers on \(pipeline) x \(tensor)")
      for victim in 0..<world.size { try training.failEveryCall(of: victim, world) }
    }
  }
]

/// A training in which system calls fail.
private struct FaultyTraining {
  let pipeline: Int
  let tensor: Int
  let scratch: String

  private var output: String { FileSystem.join(scratch, "run") }

  /// Trains with `plan` on this rank; gives the failure, which all ranks must have alike.
  func run(_ plan: FaultPlan, _ world: borrowing Communicator) throws -> Failure? {
    let job = """
      { data: { path: "\(FileSystem.join(scratch, "shards"))" }, model: { kind: "mlp", hidden: [9, 8, 7] }, loss: "softmax",
        train: { steps: 2, batch_size: 6 }, checkpoint: { every_steps: 1, every_seconds: 0, keep: 1 },
        parallel: { pipeline: \(pipeline), tensor: \(tensor) }, output: "\(output)" }
      """
    if world.rank == 0 { try FileSystem.removeTree(output) }
    let run = try TrainingRun(TrainingJob(parsing: Array(job.utf8), source: "job"), resume: false, world: world)
    var failure: Failure?
    do {
      _ = try FaultPlan.$current.withValue(plan) { try run.train(policy: .refuse) }
    } catch let found as Failure {
      failure = found
    }
    let texts = try world.allGather(Array((failure.map { "\($0.code) \($0.isShared) \($0)" } ?? "").utf8))
    try expect(Set(texts).count, 1, "what the ranks say")
    return failure
  }

  /// Trains again and again, and each time the next call of one rank that makes or writes something fails, until none is left.
  func failEveryCall(of victim: Int, _ world: borrowing Communicator) throws {
    var first = 1
    while true {
      let what = "\(pipeline) x \(tensor), call \(first) of rank \(victim)"
      let plan = FaultPlan(
        calls: [.write, .pwrite, .fsync, .ftruncate, .mkdir, .rename], first: world.rank == victim ? first : .max,
        effect: .fail(ENOSPC))
      let failure = try run(plan, world)
      if let failure {
        try expect(failure.isShared, true, "\(what): \(failure)")
        try expect([.cannotCreate, .inputOutput].contains(failure.code), true, "\(what): \(failure)")
      }
      if world.rank == 0 { try checkFiles(output, isWhole: failure == nil, what) }
      let calls = try world.allReduce(world.rank == victim ? plan.callsSeen : 0, .sum)
      if calls < first { break }
      first += 1
    }
    try expect(first > 8, true, "calls of rank \(victim): \(first)")
  }
}

/// What a training that ended well, or not, may leave.
private func checkFiles(_ output: String, isWhole: Bool, _ what: String) throws {
  guard try FileSystem.status(of: output) != nil else { return }
  let store = CheckpointStore(directory: RunDirectory.checkpoints(of: output), keep: 1)
  for step in try store.steps() {
    let manifest = try CheckpointManifest(verifying: store.path(of: step))
    try expect(manifest.step, step, what)
  }
  if try FileSystem.status(of: store.directory) != nil {
    try expect(try FileSystem.list(store.directory).filter { !$0.hasPrefix("step-") }, [], "\(what): half written")
  }
  let names = try FileSystem.list(output).filter { $0.contains("safetensors") }
  try expect(names, isWhole ? [ModelFile.name] : names.filter { $0 == ModelFile.name }, "\(what): models")
  if isWhole { try expect(try store.steps(), [2], what) }
}
