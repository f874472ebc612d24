import TestSupport
import Testing

/// What `apus train --dry-run` says of ranks that share a model.
@Suite struct PlanLayoutTests {
  private func dryRun(
    _ layout: Layout, _ parallel: String, batch: Int = 128
  ) throws -> (result: RunResult, isEmpty: Bool) {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "adam""#, train: "steps: 2, batch_size: \(batch)", more: "parallel: { \(parallel) },",
      hidden: [40, 30, 20])
    let run = DigitsRun(digits.directory.file("run"))
    let result = try MPILauncher.run(
      ranks: layout.ranks, Binaries.apus, digits.arguments(job, run, layout.options + ["--dry-run"]))
    #expect(result.exitCode == 0, "\(result)")
    return (result, !digits.directory.contains("run"))
  }

  /// One line a rank: its place, its layers, and what it holds of each.
  @Test func everyRankIsListed() throws {
    let (result, isEmpty) = try dryRun(
      Layout(data: 2, pipeline: 2, tensor: 2, sharesMemory: false),
      "virtual_ranks: 2, micro_batches: 4, stages: [3, 1]")
    #expect(isEmpty, "a dry run leaves nothing")
    let lines = result.outputLines.map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains { $0.starts(with: ["grid", "2", "x", "2", "x", "2"]) }, "\(result)")
    // 4 micro-batches on 2 stages: (2 - 1) / (4 + 2 - 1).
    #expect(result.standardOutput.contains("stages of [3, 1] layers, 4 micro-batches in a step, bubble 20 %"))
    let head = try #require(lines.firstIndex { $0.starts(with: ["rank", "copy", "stage", "part", "layers"]) })
    let ranks = lines[(head + 1)...(head + 8)]
    for (rank, line) in ranks.enumerated() {
      let place = [rank, rank / 4, rank / 2 % 2, rank % 2].map(String.init)
      #expect(Array(line.prefix(5)) == place + [rank / 2 % 2 == 0 ? "0-2" : "3"], "\(result)")
    }
    // Half of 20 x 10 weights, cut by outputs or inputs, with half of the 10 biases or all, in four bytes each; twice as many moments.
    let weights = try #require(Int(lines[head + 3][5]))
    #expect([420, 440].contains(weights) && lines[head + 3][9...10] == ["\(2 * weights)", "B"], "\(result)")
    #expect(lines.last?.joined(separator: " ") == "the job is sound; nothing was trained")
  }

  /// A warning, and no more, where more than half of a deep pipeline would wait.
  @Test(arguments: [
    (
      4, 1, 128,
      "75 % of each step, since a rank has 1 micro-batch in it; with parallel.micro_batches 16 it would be 16 %"
    ),
    (
      3, 2, 128,
      "50 % of each step, since a rank has 2 micro-batches in it; with parallel.micro_batches 16 it would be 11 %"
    ),
    (4, 1, 1, "75 % of each step, since a rank has 1 micro-batch in it; a larger train.batch_size would give it more"),
    (4, 4, 128, nil), (2, 8, 128, nil), (1, 1, 128, nil),
  ])
  func shallowBatchesOfADeepPipeline(stages: Int, microBatches: Int, batch: Int, warning: String?) throws {
    let (result, _) = try dryRun(
      Layout(pipeline: stages), "virtual_ranks: 1, micro_batches: \(microBatches)", batch: batch)
    let lines = result.errorLines.filter { $0.hasPrefix("apus:") }
    #expect(lines == (warning.map { ["apus: warning: a pipeline of \(stages) stages waits \($0)"] } ?? []), "\(result)")
  }
}
