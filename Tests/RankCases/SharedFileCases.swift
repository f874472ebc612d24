import Failures
import Files
import Glibc
import MPI
import Training

/// Cases on files that all ranks write together.
let sharedFileCases: [RankCase] = [
  RankCase("faultyWrites") { world in
    let scratch = try scratch(world)
    for (pipeline, tensor) in [(1, 1), (world.size, 1), (1, world.size)] {
      let training = try FaultyTraining(pipeline: pipeline, tensor: tensor, scratch: scratch, world)
      // Short transfers are carried on and never seen.
      let short = FaultPlan(first: 1, effect: .cutShort, persists: true)
      try expect(try training.run(short, world), nil, "short transfers on \(pipeline) x \(tensor)")
      let isWhole = pipeline == 1 && tensor == 1
      for victim in 0..<world.size {
        // Every call of ranks that hold the same; where each has a part of its own, those that make something.
        for effect in isWhole ? [.fail(ENOSPC), .fail(EIO)] : [] as [FaultPlan.Effect] {
          try training.failEveryCall(of: victim, writing, effect, persists: false, world)
        }
        // Other calls move nothing that could be cut short.
        if isWhole { try training.failEveryCall(of: victim, [.write, .pwrite], .cutShort, persists: false, world) }
        try training.failEveryCall(of: victim, making, .fail(ENOSPC), persists: isWhole, world)
      }
    }
  },
  RankCase("killedWrite") { world in
    // "RANK:CALL": where the rank is killed.
    let place = (Machine.environment("APUS_FAULT") ?? "").split(separator: ":").compactMap { Int($0) }
    guard place.count == 2 else { throw CaseFailure("APUS_FAULT is not RANK:CALL") }
    let training = try FaultyTraining(pipeline: 1, tensor: 1, scratch: try scratch(world), world)
    _ = try training.run(FaultPlan(first: world.rank == place[0] ? place[1] : .max, effect: .kill), world)
  },
]

/// Calls that make something, and those that are made on the way.
private let making: Set<SystemCall.Name> = [.write, .pwrite, .fsync, .fdatasync, .ftruncate, .mkdir, .rename]
private let writing = making.union([
  .open, .close, .stat, .lstat, .fstat, .opendir, .readdir, .unlink, .rmdir, .thread, .flock, .fallocate, .fcntl,
])

/// The folder of a case, with data.
private func scratch(_ world: borrowing Communicator) throws -> String {
  guard let scratch = Machine.environment("APUS_SCRATCH") else { throw CaseFailure("APUS_SCRATCH is not set") }
  _ = try numberedDataset(shards: [7, 5], columns: 4, classes: 3, world: world) { Float($0 * 3 % 7) + Float($1) }
  return scratch
}

/// A training in which system calls fail.
private struct FaultyTraining {
  static let steps = 2

  let pipeline: Int
  let tensor: Int
  let scratch: String
  /// The files of each checkpoint, as a training without faults has them. On rank 0.
  private var files: [Int: [String: [UInt8]]] = [:]

  private var output: String { FileSystem.join(scratch, "run") }

  init(pipeline: Int, tensor: Int, scratch: String, _ world: borrowing Communicator) throws {
    self.pipeline = pipeline
    self.tensor = tensor
    self.scratch = scratch
    try expect(try run(FaultPlan(first: .max, effect: .kill), keep: Self.steps, world), nil, "without faults")
    guard world.rank == 0 else { return }
    let store = CheckpointStore(directory: RunDirectory.checkpoints(of: output), keep: Self.steps)
    try expect(try store.steps(), Array(1...Self.steps), "checkpoints without faults")
    for step in try store.steps() { files[step] = try contents(store.path(of: step)) }
  }

  private func contents(_ folder: String) throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for name in try FileSystem.list(folder) {
      contents[name] = try FileSystem.read(FileSystem.join(folder, name), limit: 1 << 20)
    }
    return contents
  }

  /// Trains with `plan` on this rank; gives the failure, which all ranks must have alike.
  func run(_ plan: FaultPlan, keep: Int = 1, _ world: borrowing Communicator) throws -> Failure? {
    let job = """
      { data: { path: "\(FileSystem.join(scratch, "shards"))" }, model: { kind: "mlp", hidden: [9, 8, 7] }, loss: "softmax",
        train: { steps: \(Self.steps), batch_size: 6, log_every: 1000 },
        checkpoint: { every_steps: 1, every_seconds: 0, keep: \(keep) },
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

  /// Trains again and again, and each time the next call of one rank fails, or that and all that follow, until none is left.
  func failEveryCall(
    of victim: Int, _ calls: Set<SystemCall.Name>, _ effect: FaultPlan.Effect, persists: Bool,
    _ world: borrowing Communicator
  ) throws {
    var first = 1
    while true {
      let what =
        "\(pipeline) x \(tensor), \(effect)\(persists ? " for good" : "") from call \(first) of rank \(victim) on"
      let plan = FaultPlan(
        calls: calls, first: world.rank == victim ? first : .max, effect: effect, persists: persists)
      let failure = try run(plan, world)
      if let failure {
        try expect(failure.isShared, true, "\(what): \(failure)")
        // Calls that only look or read fail as such, before the first step.
        let codes: [ExitCode] =
          calls.isEmpty ? [.cannotCreate, .inputOutput, .permission] : [.cannotCreate, .inputOutput]
        try expect(codes.contains(failure.code), true, "\(what): \(failure)")
        if failure.message.contains("was not saved") {
          try expect(
            failure.message.contains("step \(Self.steps)"), true, "\(what), only the last one ends it: \(failure)")
          try expect(failure.hint?.contains("a checkpoint takes") ?? false, true, "\(what): \(failure)")
        }
      }
      if world.rank == 0 { try checkFiles(isWhole: failure == nil, mayLeave: persists, what) }
      let seen = try world.allReduce(world.rank == victim ? plan.callsSeen : 0, .sum)
      if seen < first { break }
      first += 1
    }
    try expect(first > (effect == .cutShort ? 5 : 10), true, "calls of rank \(victim): \(first)")
  }

  /// What a training that ended well, or not, may leave.
  /// - Parameter mayLeave: what could not be finished could not be removed either.
  private func checkFiles(isWhole: Bool, mayLeave: Bool, _ what: String) throws {
    guard try FileSystem.status(of: output) != nil else { return }
    let store = CheckpointStore(directory: RunDirectory.checkpoints(of: output), keep: 1)
    for step in try store.steps() {
      let manifest = try CheckpointManifest(verifying: store.path(of: step))
      try expect(manifest.step, step, what)
      try expect(try contents(store.path(of: step)) == files[step], true, "\(what): the files of step \(step)")
    }
    if try FileSystem.status(of: store.directory) != nil, !mayLeave {
      let others = try FileSystem.list(store.directory).filter { !$0.hasPrefix("step-") && !$0.hasPrefix(".removed-") }
      try expect(others, [], "\(what): half written")
    }
    let names = try FileSystem.list(output).filter { $0.contains("safetensors") }
    if !mayLeave {
      try expect(names, isWhole ? [ModelFile.name] : names.filter { $0 == ModelFile.name }, "\(what): models")
    }
    if isWhole { try expect(try store.steps().last, Self.steps, what) }
  }
}
