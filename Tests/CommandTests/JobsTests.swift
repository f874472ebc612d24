import Foundation
import TestSupport
import Testing

/// The jobs of this package do what their READMEs say, by the lines that the READMEs give.
@Suite struct JobsTests {
  @Test(arguments: JobsFolder.names) func isSound(job: String) throws {
    let folder = try JobsFolder()
    let commands = try JobsFolder.commands(job)
    try folder.text(try #require(commands.first))
    let plan = try folder.text("apus train Jobs/\(job)/job.json --dry-run")
    #expect(plan.contains("the job is sound"), "\(plan)")
    #expect(!folder.directory.contains("runs"), "a dry run leaves nothing")
  }

  @Test(arguments: [
    ("digits-mlp", 0.97), ("digits-softmax", 0.95), ("penguins-softmax", 0.97), ("electricity-mlp", 0.78),
  ])
  func reachesAccuracy(job: String, least: Double) throws {
    let metrics = try train(job, in: JobsFolder())
    let accuracy = try #require(metrics["accuracy"])
    #expect(accuracy >= least)
    // Another processor may round an image or two (of 359), or a bird (of 103), to the other side.
    #expect(try abs(100 * accuracy - expected("accuracy", of: job)) < (job == "penguins-softmax" ? 1 : 0.6))
  }

  @Test func estimatesPrices() throws {
    let r2 = try #require(try train("diamonds-mlp", in: JobsFolder())["r2"])
    #expect(r2 >= 0.97)
    #expect(try abs(r2 - expected("R²", of: "diamonds-mlp")) < 1e-3)
  }

  @Test(.enabled(if: Python.isAvailable, "needs the Python of Scripts/setup")) func reachesLeastSquares() throws {
    let job = "diabetes-linear"
    let folder = try JobsFolder()
    let r2 = try #require(try train(job, in: folder)["r2"])
    let best: Double = try Python.value(
      """
      import glob, json, sys, h5py, numpy
      files = [h5py.File(path) for path in sorted(glob.glob(sys.argv[1]))]
      x, y = (numpy.concatenate([file[name][:] for file in files]).astype(float) for name in ("features", "targets"))
      x, y = numpy.column_stack([x, numpy.ones(len(x))]), y.ravel()
      residuals = y - x @ numpy.linalg.lstsq(x, y)[0]
      print(json.dumps(1 - (residuals @ residuals) / (len(y) * y.var())))
      """, [folder.directory.file("Datasets/diabetes/shards/train-*.h5")])
    #expect(abs(r2 - best) <= 0.01 * best)
    #expect(try abs(r2 - expected("R²", of: job)) < 1e-4)
  }

  /// One batch script with several names, so that a correction reaches every job.
  @Test func batchScriptsAreAlike() throws {
    var alike: Set<String> = []
    for job in JobsFolder.names {
      let script = try String(contentsOfFile: PackageRoot.file("Jobs/\(job)/run.sbatch"), encoding: .utf8)
      let prepare = try #require(try JobsFolder.commands(job).first)
      #expect(script.contains(prepare), "\(job): the script prepares the data as the README does")
      alike.insert(script.replacing(prepare, with: "PREPARE").replacing(job, with: "JOB"))
    }
    #expect(alike.count == 1)
  }

  /// Types the lines of a README.
  /// - Returns: the numbers that the last one, `apus evaluate`, gives.
  private func train(_ job: String, in folder: JobsFolder) throws -> [String: Double] {
    let commands = try JobsFolder.commands(job)
    try #require(commands.count == 3)
    for command in commands.dropLast() { try folder.text(command) }
    let model = try folder.directory.read("runs/\(job)/model.safetensors")

    let again = commands[1].replacing("-n 2", with: "-n 3") + " --overwrite"
    try #require(again.contains("-n 3"))
    try folder.text(again)
    #expect(
      try folder.directory.read("runs/\(job)/model.safetensors") == model, "the same model on three ranks as on two")

    let json = try folder.text(commands[2] + " --json")
    let metrics = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    return metrics.compactMapValues { $0 as? Double }
  }

  /// The number that a README says `apus evaluate` prints behind `name`.
  private func expected(_ name: String, of job: String) throws -> Double {
    let lines = try JobsFolder.readme(job).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("    \(name) ") })
    return try #require(Double(line.split(separator: " ")[1]))
  }
}
