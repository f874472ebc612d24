import TestSupport
import Testing

/// Layouts that fit neither the ranks nor the model: `FAULTS.md`, row B20, through the command.
@Suite(.enabled(if: Python.isAvailable)) struct BadInputLayoutTests {
  let folder: TemporaryDirectory
  let files = BadInputFiles.shared

  init() throws {
    folder = try TemporaryDirectory("layout")
    let job = """
      { model: { kind: "mlp", hidden: [6, 5] }, data: { path: "DATA" }, train: { steps: 3, batch_size: 32 }, output: "run" }
      """
    try folder.write(text: job.replacing("DATA", with: files.path("good")), to: "job.json")
  }

  @Test(arguments: [
    (4, ["pipeline=3"], ["parallel.pipeline is 3, which needs a multiple of 3 ranks, and there are 4", "1, 2 or 4"]),
    (0, ["tensor=2"], ["parallel.tensor is 2, which needs a multiple of 2 ranks, and there is 1"]),
    (3, ["pipeline=2", "tensor=2"], ["which needs a multiple of 4 ranks, and there are 3"]),
    (4, ["pipeline=4"], ["parallel.pipeline is 4, and the model has 3 layers", "it can be 1 to 3"]),
    (2, ["stages=[1,1]"], ["parallel.stages [1, 1] have 2 layers together, and the model has 3 layers"]),
    (2, ["pipeline=2", "stages=[1,1,1]"], ["parallel.stages [1, 1, 1] are 3, and parallel.pipeline is 2"]),
    (8, ["tensor=8"], ["parallel.tensor is 8, and layer", "hint: for this model it can be 1 to "]),
  ])
  func isRefusedWithWhatWouldFit(ranks: Int, settings: [String], words: [String]) throws {
    let set = settings.flatMap { ["--set", "parallel." + $0] }
    for more in [[], ["--dry-run"]] {
      try CommandLineRun.fail(["train", "job.json"] + set + more, ranks: ranks, in: folder, code: 64, says: words)
    }
    #expect(!folder.contains("run"), "nothing is left behind")
  }
}
