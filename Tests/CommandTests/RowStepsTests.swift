import Foundation
import TestSupport
import Testing

/// Steps of one row, which are made in runs where nothing falls due between them.
@Suite struct RowStepsTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory("rows")
    let prepared = try Run.program(
      Binaries.apus,
      [
        "prepare", PackageRoot.file("Datasets/diabetes/diabetes.csv"), "--target", "progression", "--output",
        directory.file("shards"), "--standardize",
      ], environment: MPILauncher.environment)
    try #require(prepared.exitCode == 0, "\(prepared)")
  }

  /// The model has the bits of steps made one by one, whatever is logged, saved and validated, on one rank and on two; the steps that
  /// are logged are those that were asked for, with the same losses.
  @Test func runsOfStepsAreTheStepsOneByOne() throws {
    let job = try directory.write(
      text: """
        {
          data: { path: "\(directory.file("shards"))", validation_split: "test" },
          model: { kind: "linear" }, loss: "huber", penalty: { l1: 1e-3, l2: 1e-4 },
          optimizer: { kind: "sgd", learning_rate: 0.02 }, schedule: { kind: "inverse_time" },
          train: { epochs: 3, batch_size: 1 }, parallel: { virtual_ranks: 1 },
        }
        """, to: "job.json")
    func train(_ output: String, ranks: Int = 1, _ settings: [String]) throws -> DigitsRun {
      let run = DigitsRun(directory.file(output))
      let options = (settings + ["output=" + run.path]).flatMap { ["--set", $0] }
      let result = try MPILauncher.run(ranks: ranks, Binaries.apus, ["train", job] + options)
      try #require(result.exitCode == 0, "\(result)")
      return run
    }
    let single = try train("single", ["train.log_every=1"])
    let losses = try Dictionary(uniqueKeysWithValues: single.log.steps.map { ($0.step, $0.loss) })
    try #require(losses.count > 900)
    for (output, ranks, settings) in [
      ("runs", 1, ["train.log_every=100"]), ("unlogged", 1, ["train.log_every=0"]),
      ("saved", 1, ["train.log_every=1000", "checkpoint.every_steps=37"]), ("ranks", 2, ["train.log_every=100"]),
    ] {
      let run = try train(output, ranks: ranks, settings)
      #expect(try run.tensors == single.tensors, "\(output)")
      let steps = try run.log.steps
      for step in steps { #expect(step.loss == losses[step.step], "\(output), step \(step.step)") }
      #expect(steps.last?.step == losses.count)
      if settings.contains("train.log_every=100") {
        #expect(steps.dropLast().map(\.step) == Array(stride(from: 100, to: losses.count, by: 100)))
      }
      #expect(try run.log.validations == single.log.validations, "\(output)")
    }
  }

  /// A run that diverges says at which step, as it does where every step is logged.
  @Test func aStepThatIsNotFiniteIsNamed() throws {
    var messages: Set<String> = []
    for every in [0, 1] {
      let job = try directory.write(
        text: """
          {
            data: { path: "\(directory.file("shards"))" }, model: { kind: "linear" }, parallel: { virtual_ranks: 1 },
            optimizer: { kind: "sgd", learning_rate: 2 }, train: { epochs: 3, batch_size: 1, log_every: \(every) },
            output: "\(directory.file("run-\(every)"))",
          }
          """, to: "job-\(every).json")
      let result = try MPILauncher.run(ranks: 1, Binaries.apus, ["train", job])
      #expect(result.exitCode == 65, "\(result)")
      messages.formUnion(
        result.standardError.split(separator: "\n").map(String.init).filter { $0.contains("is not finite") })
    }
    #expect(messages.count == 1, "\(messages)")
  }
}
