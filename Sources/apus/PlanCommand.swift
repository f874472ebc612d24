import Data
import Failures
import Files
import JSON
import MPI
import Planning
import Text
import Training

/// `apus plan`: how fast a job would train on a cluster, in every layout.
struct PlanCommand: Command {
  static let syntax = Syntax(
    name: "plan", summary: "predict time and memory of a training on a cluster, and name the best layout",
    positionals: [Positional("JOB", "job file (JSON5)")],
    options: [
      Option("--ranks", value: "NUMBER", isRequired: true, "ranks of the cluster"),
      Option("--ranks-per-node", value: "NUMBER", "ranks of a node (default all)"),
      Option("--bandwidth", value: "SPEED", "between nodes, each way, as 10Gbit/s or 1.2GB/s"),
      Option("--latency", value: "TIME", "of an empty message between nodes, as 25us"),
      Option("--memory-per-node", value: "BYTES", "as 64GiB (default as much as here)"),
      Option("--machine", value: "FILE", "plan for the machine that was measured with --save-machine"),
      Option("--save-machine", value: "FILE", "write what was measured here, as JSON"),
      Option("--set", value: "KEY=VALUE", repeats: true, "set a key of the job"),
      Option("--all", "every number of micro-batches, not the best alone"),
      Option("--json", "print the plan as JSON"),
    ],
    notes: """
      The parts of a step are measured here, in a few seconds, on all ranks that run the command: under
      mpirun with as many ranks as a node will have, what they take from each other is measured too. Nothing
      is trained, and nothing written but the file of --save-machine.
      """,
    examples: [
      "apus plan job.json --ranks 4",
      "mpirun -n 8 apus plan job.json --ranks 64 --ranks-per-node 8 --bandwidth 10Gbit/s --latency 25us",
      "apus plan job.json --ranks 64 --ranks-per-node 8 --bandwidth 1GB/s --latency 5us --machine node.json",
    ])

  private let jobPath: String
  private let overrides: [JobOverride]
  private let machine: String?
  private let savedMachine: String?
  private let showsAll: Bool
  private let isJSON: Bool
  private let ranks: Int
  private let ranksPerNode: Int
  private let bandwidth: Double
  private let latency: Double
  private let memory: Int?

  /// More than any machine has.
  private static let mostRanks = 65_536

  init(_ arguments: Arguments) throws {
    func value<Value>(_ option: String, _ what: String, _ parse: (String) -> Value?) throws -> Value? {
      guard let text = arguments.value(option) else { return nil }
      guard let value = parse(text) else {
        throw UsageError("\(option) needs \(what), not '\(text)'", syntax: Self.syntax)
      }
      return value
    }
    func count(_ text: String) -> Int? { Int(text).flatMap { (1...Self.mostRanks).contains($0) ? $0 : nil } }
    jobPath = arguments.positionals[0]
    overrides = try arguments.values("--set").map { try JobOverride(parsing: $0) }
    machine = arguments.value("--machine")
    savedMachine = arguments.value("--save-machine")
    showsAll = arguments.has("--all")
    isJSON = arguments.has("--json")
    let number = "a whole number from 1 to \(grouped(Self.mostRanks))"
    ranks = try value("--ranks", number, count) ?? 1
    ranksPerNode = try value("--ranks-per-node", number, count) ?? ranks
    let bandwidth = try value("--bandwidth", "a speed, as 10Gbit/s or 1.2GB/s", Quantity.bytesPerSecond)
    let latency = try value("--latency", "a time, as 25us", Quantity.seconds)
    memory = try value("--memory-per-node", "a number of bytes, as 64GiB", Quantity.bytes)
    guard ranks <= ranksPerNode || bandwidth != nil && latency != nil else {
      throw UsageError(
        "\(ranks) ranks, \(ranksPerNode) a node, are several nodes: --bandwidth and --latency say what is between them",
        syntax: Self.syntax)
    }
    guard machine == nil || savedMachine == nil else {
      throw UsageError("--machine and --save-machine exclude each other", syntax: Self.syntax)
    }
    // Nothing is sent between nodes where there is one.
    (self.bandwidth, self.latency) = (bandwidth ?? .infinity, latency ?? 0)
  }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    let bytes = try Agreement.fromRoot(world) { try JobFile.read(jobPath) }
    let job = try Agreement.alike { try TrainingJob(parsing: bytes, source: jobPath, overrides: overrides) }
    let opened = try OpenedDataset(job.data.source, scanLabels: job.needsLabels, world: world)
    let validation = try job.data.validationSource.map { try OpenedDataset($0, scanLabels: false, world: world) }
    let (design, training) = try Agreement.alike {
      guard opened.dataset.rows > 0 else {
        throw Failure(.invalidData, "the data set '\(job.data.path)' has no rows")
      }
      let design = try ModelDesign(job: job, dataset: opened.dataset)
      return (
        design,
        PlannedTraining(job, design: design, dataset: opened.dataset, validationRows: validation?.dataset.rows ?? 0)
      )
    }
    let profile = try profile(job, design, training, opened, world)
    _ = try Agreement.fromRoot(world) {
      try tell(training, profile)
      return []
    }
    return ExitCode.success.rawValue
  }

  /// Writes the profile where that is wanted, and prints the plan.
  private func tell(_ training: PlannedTraining, _ profile: MachineProfile) throws {
    if let savedMachine {
      try FileSystem.write(Array(profile.json.serialized(pretty: true).utf8), to: savedMachine)
    }
    let cluster = Cluster(
      ranks: ranks, ranksPerNode: ranksPerNode, bandwidth: bandwidth, latency: latency, memory: memory ?? profile.memory
    )
    let plan = try ClusterPlan(training, profile: profile, cluster: cluster)
    StandardStream.output.write(
      isJSON ? plan.json.serialized(pretty: true) : ClusterPlanText(plan, showsAll: showsAll).text)
  }

  /// What the machine takes: as it was saved, or measured here. Collective.
  private func profile(
    _ job: TrainingJob, _ design: ModelDesign, _ training: PlannedTraining, _ opened: OpenedDataset,
    _ world: borrowing Communicator
  ) throws -> MachineProfile {
    if let machine {
      let bytes = try Agreement.fromRoot(world) { try FileSystem.read(machine, limit: 1 << 24) }
      return try Agreement.alike { try MachineProfile(parsing: bytes, source: machine) }
    }
    let transform = try Agreement.alike { try opened.source.transform(scale: Float(job.data.scale)) }
    let reading = try ReadingMeter.measure(
      opened.dataset, targetUse: design.targetUse, transform: transform, seed: job.seed, shuffle: job.shuffle,
      rows: max(1, training.batchRows / ranks), world: world)
    return try ProfileMeter(world).profile(
      training, ranks: ranks, ranksPerNode: ranksPerNode, reading: reading)
  }
}
