import Foundation
import TestSupport
import Testing

/// The jobs of this package do what their READMEs say, by the lines that the READMEs give.
@Suite struct JobsTests {
  @Test(arguments: JobsFolder.names) func isSound(job: String) throws {
    let folder = try JobsFolder()
    let commands = try JobsFolder.commands(job)
    try folder.text(try #require(commands.first))
    let plan = try folder.text(try #require(commands.dropFirst().first) + " --dry-run")
    #expect(plan.contains("the job is sound"), "\(plan)")
    #expect(!folder.directory.contains("runs"), "a dry run leaves nothing")
  }

  /// A job with the least accuracy that it reaches, and what else gives the same model: the ranks and settings of its README are replaced.
  struct Classifier: Sendable, CustomTestStringConvertible {
    let job: String
    let least: Double
    let ranks: Int
    var others: [(ranks: Int, settings: String)]
    var testDescription: String { job }
  }

  @Test(arguments: [
    Classifier(job: "digits-mlp", least: 0.97, ranks: 2, others: [(3, "")]),
    Classifier(job: "digits-softmax", least: 0.95, ranks: 2, others: [(3, "")]),
    Classifier(
      job: "digits-pipeline", least: 0.97, ranks: 4,
      others: [(1, "--set parallel.pipeline=1"), (3, "--set parallel.pipeline=3"), (8, "")]),
    Classifier(job: "wide-tensor", least: 0.95, ranks: 4, others: [(2, "")]),
    Classifier(job: "hybrid", least: 0.95, ranks: 8, others: [(4, ""), (8, "--set parallel.shard_optimizer=false")]),
    Classifier(job: "penguins-softmax", least: 0.97, ranks: 2, others: [(3, "")]),
    Classifier(job: "electricity-mlp", least: 0.78, ranks: 2, others: []),
  ])
  func reachesAccuracy(_ classifier: Classifier) throws {
    let job = classifier.job
    let metrics = try train(job, ranks: classifier.ranks, others: classifier.others, in: JobsFolder())
    let accuracy = try #require(metrics["accuracy"])
    #expect(accuracy >= classifier.least)
    // Another processor may round an image or two (of 359), or a bird (of 103), to the other side.
    #expect(try abs(100 * accuracy - expected("accuracy", of: job)) < (job == "penguins-softmax" ? 1 : 0.6))
  }

  @Test func estimatesPrices() throws {
    let r2 = try #require(try train("diamonds-mlp", ranks: 2, others: [], in: JobsFolder())["r2"])
    #expect(r2 >= 0.97)
    #expect(try abs(r2 - expected("R²", of: "diamonds-mlp")) < 1e-3)
  }

  @Test(.enabled(if: Python.isAvailable, "needs the Python of Scripts/setup")) func reachesLeastSquares() throws {
    let job = "diabetes-linear"
    let folder = try JobsFolder()
    let r2 = try #require(try train(job, ranks: 2, others: [(3, "")], in: folder)["r2"])
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

  /// Classes that come later: with a replay of 200 old rows the old classes stay within three points, without one they are lost.
  @Test func remembersOldClassesByReplay() throws {
    let folder = try JobsFolder()
    let commands = try JobsFolder.commands("digits-incremental")
    try #require(commands.count == 4)
    for command in commands.prefix(3) { try folder.text(command) }
    let names = ["model.safetensors", "comparison.json", "replay/sample.json", "replay/train-00000-of-00001.h5"]
    func contents() throws -> [[UInt8]] {
      try names.map { try folder.directory.read("runs/digits-incremental-next/\($0)") }
    }
    let files = try contents()
    try folder.text(commands[2].replacing("-n 2 ", with: "-n 3 ") + " --overwrite")
    #expect(try contents() == files, "the same on 3 ranks")

    func loss(_ run: String, _ rows: String) throws -> (before: Double, after: Double) {
      let bytes = Data(try folder.directory.read("runs/\(run)/comparison.json"))
      let json = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
      let part = try #require(json[rows] as? [String: Any])
      let accuracies = try ["before", "after"].map { when in
        try #require((part[when] as? [String: Any])?["accuracy"] as? Double)
      }
      return (accuracies[0], accuracies[1])
    }
    let (old, new) = (try loss("digits-incremental-next", "old"), try loss("digits-incremental-next", "new"))
    #expect(old.before - old.after <= 0.03 && old.before > 0.97, "old classes: \(old)")
    #expect(new.after > 0.94, "new classes: \(new)")

    let result = try folder.shell(commands[3])
    #expect(result.exitCode == 79, "\(result)")
    let forgotten = try loss("digits-forgetful", "old")
    #expect(forgotten.before - forgotten.after > 0.9, "old classes without replay: \(forgotten)")
  }

  /// One batch script with several names, so that a correction reaches every job.
  @Test func batchScriptsAreAlike() throws {
    var alike: Set<String> = []
    for job in JobsFolder.names {
      let script = try String(contentsOfFile: PackageRoot.file("Jobs/\(job)/run.sbatch"), encoding: .utf8)
      let prepare = try #require(try JobsFolder.commands(job).first)
      #expect(script.contains(prepare), "\(job): the script prepares the data as the README does")
      let size = try #require(
        script.firstMatch(of: /#SBATCH --nodes=[0-9]+\n#SBATCH --ntasks-per-node=[0-9]+ +#.*\n/)?.output)
      // A stream learns where the others train, and may have a writer beside it.
      let training = script.replacing("\"$APUS\" stream", with: "\"$APUS\" train")
        .replacing(/# A simulation beside(.|\n)*?done\n\n/, with: "")
      alike.insert(
        training.replacing(prepare, with: "PREPARE").replacing(job, with: "JOB").replacing(size, with: "SIZE"))
    }
    #expect(alike.count == 1)
  }

  /// Types the lines of a README, and trains on `others` as well, which must give the same model.
  /// - Returns: the numbers that the last one, `apus evaluate`, gives.
  private func train(
    _ job: String, ranks: Int, others: [(ranks: Int, settings: String)], in folder: JobsFolder
  ) throws -> [String: Double] {
    let commands = try JobsFolder.commands(job)
    try #require(commands.count == 3)
    for command in commands.dropLast() { try folder.text(command) }
    let model = try folder.directory.read("runs/\(job)/model.safetensors")

    try #require(commands[1].contains("mpirun -n \(ranks) "))
    for other in others {
      try folder.text(
        commands[1].replacing("-n \(ranks) ", with: "-n \(other.ranks) ") + " \(other.settings) --overwrite")
      #expect(
        try folder.directory.read("runs/\(job)/model.safetensors") == model,
        "the same model on \(other.ranks) ranks \(other.settings)")
    }

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
