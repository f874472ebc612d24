import AllocationCount
import Failures
import Files
import JSON
import MPI
import Text
import Training

/// How often a step of a training asks for memory: what twice as many steps ask for more, whole runs with reading, metrics and
/// checks. Fails where it is once a step or more.
enum AllocationsBenchmark {
  private struct Subject {
    let layers: [Int]
    let batch: Int
    let optimizer: String
    let steps: Int
  }

  /// All rows are in memory after the first step, and no epoch ends.
  private static let subjects = [
    Subject(layers: [784, 512, 256, 10], batch: 128, optimizer: "adam", steps: 5),
    Subject(layers: [784, 10, 10], batch: 16, optimizer: "adam", steps: 40),
    Subject(layers: [100, 1], batch: 64, optimizer: "sgd", steps: 60),
    Subject(layers: [28, 1], batch: 1, optimizer: "sgd", steps: 4000),
    Subject(layers: [28, 1], batch: 1, optimizer: "momentum", steps: 4000),
  ]

  static func run(_ world: borrowing Communicator) throws {
    for subject in subjects {
      // What the runtime makes once.
      _ = try allocations(subject, steps: subject.steps, world)
      let few = try allocations(subject, steps: subject.steps, world)
      let many = try allocations(subject, steps: 2 * subject.steps, world)
      let aStep = Double(many - few) / Double(2 * subject.steps)
      guard world.rank == 0 else { continue }
      let what =
        "\(subject.layers.map { "\($0)" }.joined(separator: "-")), \(subject.batch) rows, \(subject.optimizer)"
      StandardStream.output.write("\(what): \(fixed(aStep, decimals: 2)) allocations a step\n")
      guard aStep < 1 else { throw Failure(.internalError, "a step of \(what) asks for memory") }
    }
  }

  /// The allocations of this thread in a training of twice `steps` steps.
  private static func allocations(_ subject: Subject, steps: Int, _ world: borrowing Communicator) throws -> Int {
    let layers = subject.layers
    let work = try SyntheticShards.shared(
      rows: 4 * subject.steps * subject.batch + 1, columns: layers[0], classes: max(layers[layers.count - 1], 2),
      shards: 1, world)
    let job = StepBenchmark.job(
      layers: layers, work: work, batch: subject.batch, optimizer: subject.optimizer, steps: steps,
      parallel: StepBenchmark.parallel(try Settings([])), shuffle: true)
    let training = try TrainingJob(parsing: Array(job.serialized(pretty: false).utf8), source: "apus-bench")
    let run = try TrainingRun(training, resume: false, world: world)
    let before = allocations_of_thread()
    _ = try run.train(policy: .overwrite)
    let count = allocations_of_thread() - before
    if world.rank == 0 { try FileSystem.removeTree(work) }
    return count
  }
}
