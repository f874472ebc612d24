import Foundation
import TestSupport
import Testing

/// `apus generate`: the same data on any number of ranks, and data that are what `dataset.json` says.
@Suite struct GenerateCommandTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("generate") }

  @discardableResult
  private func generate(_ words: String, to output: String, ranks: Int = 0) throws -> RunResult {
    try CommandLineRun.succeed(
      ["generate"] + words.split(separator: " ").map(String.init) + ["--output", output], ranks: ranks, in: folder)
  }

  @Test(arguments: [
    "linear --rows 500 --columns 3 --shards 4", "logistic --rows 700 --columns 5 --validation 0.2 --missing 0.1",
    "blobs --rows 300 --columns 2 --classes 4 --shards 3 --compress --drift abrupt --test 0",
    "teacher --rows 600 --columns 7 --classes 3 --noise 0.1 --shards 5 --drift gradual --drift-row 200",
  ]) func ranksDoNotMatter(words: String) throws {
    try generate(words, to: "alone")
    let names = try folder.names(in: "alone")
    for ranks in 1...4 {
      try generate(words, to: "on-\(ranks)", ranks: ranks)
      #expect(try folder.names(in: "on-\(ranks)") == names)
      for name in names {
        #expect(try folder.read("on-\(ranks)/\(name)") == folder.read("alone/\(name)"), "\(name) of \(ranks)")
      }
    }
    try generate(words + " --seed 77", to: "other")
    let shard = try #require(names.first { $0.hasPrefix("train") })
    #expect(try folder.read("other/\(shard)") != folder.read("alone/\(shard)"))
  }

  /// How the same rows are cut does not change them.
  @Test(.enabled(if: Python.isAvailable)) func shardsDoNotMatter() throws {
    let words = "teacher --rows 70000 --columns 9 --drift gradual --missing 0.01"
    try generate(words + " --test 0", to: "one")
    try generate(words + " --test 0.25 --validation 0.3 --shards 7", to: "many", ranks: 2)
    let isEqual: Bool = try Python.value(
      Self.reading + """
        one, many = rows("one"), rows("many")
        print(json.dumps(all(a.tobytes() == b.tobytes() and len(a) == 70000 for a, b in zip(one, many))))
        """, workingDirectory: folder.path)
    #expect(isEqual)
  }

  private static let reading = """
    import h5py, json, numpy
    def meta(data): return json.load(open(f"{data}/dataset.json"))
    def rows(data):
        parts = [h5py.File(f"{data}/{shard['file']}") for split in meta(data)["splits"].values() for shard in split["shards"]]
        return [numpy.concatenate([part[name][:] for part in parts]) for name in ("features", "targets")]
    def relation(data, number=0): return {k: numpy.array(v) for k, v in meta(data)["generator"]["relations"][number].items()}

    """

  /// A linear model that is trained on the rows finds the coefficients that `dataset.json` has.
  @Test(.enabled(if: Python.isAvailable)) func coefficientsAreRecovered() throws {
    try generate("linear --rows 4000 --columns 6 --noise 0.01", to: "data")
    try generate("logistic --rows 60000 --columns 3", to: "classes")
    try folder.write(
      text: """
        {
          data: { path: "data" }, model: { kind: "linear" }, optimizer: { kind: "adam", learning_rate: 0.05 },
          schedule: { kind: "cosine" }, train: { epochs: 30, batch_size: 256 }, output: "linear",
        }
        """, to: "linear.json")
    try folder.write(
      text: """
        {
          data: { path: "classes" }, model: { kind: "logistic" }, optimizer: { kind: "adam", learning_rate: 0.05 },
          schedule: { kind: "cosine" }, train: { epochs: 10, batch_size: 512 }, output: "logistic",
        }
        """, to: "logistic.json")
    for job in ["linear", "logistic"] { try CommandLineRun.succeed(["train", "\(job).json"], ranks: 2, in: folder) }
    let errors: [Double] = try Python.value(
      Self.reading + """
        from safetensors.numpy import load_file
        errors = []
        for data, run in ("data", "linear"), ("classes", "logistic"):
            model, truth = load_file(f"{run}/model.safetensors"), relation(data)
            errors.append(max(float(numpy.abs(model[f"layers.0.{a}"] - truth[b]).max()) for a, b in (("weight", "weights"), ("bias", "biases"))))
        print(json.dumps(errors))
        """, workingDirectory: folder.path)
    // Standard errors: 0.01 / √3200 for the values, about 0.02 for the coefficients of 48,000 labels.
    #expect(errors[0] < 0.002 && errors[1] < 0.1, "\(errors)")
  }

  /// What numpy finds in the rows is what was asked for.
  @Test(.enabled(if: Python.isAvailable)) func rowsAreAsAsked() throws {
    try generate("blobs --rows 20000 --columns 3 --classes 5 --noise 0.5 --missing 0.2", to: "blobs")
    try generate("linear --rows 20000 --columns 4 --noise 0 --drift abrupt --drift-row 5000", to: "abrupt")
    try generate("linear --rows 40000 --columns 4 --noise 0 --drift gradual --drift-width 8000", to: "gradual")
    try generate("teacher --rows 20000 --columns 8 --classes 3 --noise 0.3", to: "noisy")
    try generate("teacher --rows 20000 --columns 8 --classes 3", to: "clean")
    try generate("logistic --rows 20000 --columns 4 --classes 3", to: "softmax")
    let found: [String: Double] = try Python.value(
      Self.reading + """
        found = {}
        x, y = rows("blobs")
        found["missing"] = float(numpy.isnan(x).mean())
        means = numpy.array([numpy.nanmean(x[y == c], axis=0) for c in range(5)])
        found["centres"] = float(numpy.abs(means - relation("blobs")["centres"]).max())
        found["deviation"] = float(numpy.nanstd(x - means[y]))
        def follows(data, number):
            x, y = rows(data); r = relation(data, number)
            return numpy.abs(x @ r["weights"][0] + r["biases"][0] - y) < 1e-3
        before, after = follows("abrupt", 0), follows("abrupt", 1)
        found["abrupt"] = float(before[:5000].all() and after[5000:].all() and before[5000:].mean() < 0.01)
        after = follows("gradual", 1)
        found["early"], found["middle"], found["late"] = (float(after[a:b].mean()) for a, b in ((0, 8000), (16000, 24000), (32000, 40000)))
        (x, clean), (z, noisy) = rows("clean"), rows("noisy")
        found["same"] = float((x == z).all())
        found["replaced"] = float((clean != noisy).mean())
        first, second = meta("clean")["generator"]["relations"][0]["layers"]
        hidden = numpy.maximum(0, x.astype("f8") @ numpy.array(first["weights"]).T + first["biases"])
        found["teacher"] = float(((hidden @ numpy.array(second["weights"]).T + second["biases"]).argmax(axis=1) == clean).mean())
        x, y = rows("softmax"); r = relation("softmax")
        p = numpy.exp(x @ r["weights"].T + r["biases"]); p /= p.sum(axis=1, keepdims=True)
        found["calibration"] = float(max(abs(p[:, c].mean() - (y == c).mean()) for c in range(3)))
        found["likelihood"] = float(-numpy.log(p[numpy.arange(len(y)), y]).mean() + (p * numpy.log(p)).sum(axis=1).mean())
        print(json.dumps(found))
        """, workingDirectory: folder.path)
    func expect(_ name: String, _ value: Double, within bound: Double) {
      #expect(abs((found[name] ?? .infinity) - value) <= bound, "\(name) in \(found)")
    }
    expect("missing", 0.2, within: 0.006)
    expect("centres", 0, within: 0.04)
    expect("deviation", 0.5, within: 0.01)
    expect("abrupt", 1, within: 0)
    expect("early", 0, within: 0.02)
    expect("middle", 0.5, within: 0.03)
    expect("late", 1, within: 0.02)
    expect("same", 1, within: 0)
    // Three in ten are drawn anew, and a third of these come out as they were.
    expect("replaced", 0.2, within: 0.012)
    expect("teacher", 1, within: 1e-3)
    expect("calibration", 0, within: 0.015)
    expect("likelihood", 0, within: 0.02)
  }

  @Test func oldDataStay() throws {
    let words = "linear --rows 10 --columns 2"
    try generate(words, to: "data")
    let shard = try folder.read("data/train-00000-of-00001.h5")
    let arguments = ["generate", "blobs", "--rows", "10", "--columns", "2", "--output", "data"]
    try CommandLineRun.fail(
      arguments, ranks: 3, in: folder, code: 73, says: ["'data' exists already\n  hint: --overwrite replaces it"])
    #expect(try folder.read("data/train-00000-of-00001.h5") == shard)
    try CommandLineRun.succeed(arguments + ["--overwrite"], ranks: 3, in: folder)
    #expect(try folder.read("data/train-00000-of-00001.h5") != shard)
    #expect(try folder.names() == ["data"])
  }

  @Test(arguments: [
    ("lineal --rows 5 --columns 2", "unknown kind 'lineal'; did you mean 'linear'?"),
    ("linear --rows 0 --columns 2", "--rows 0: from 1 to"), ("linear --rows many --columns 2", "--rows needs a whole"),
    ("linear --rows 1e30 --columns 2", "--rows needs a whole"),
    ("linear --rows 5 --columns -1", "--columns -1: from 1"),
    ("linear --rows 5 --columns 2 --classes 3", "the target of linear is a value"),
    ("teacher --rows 5 --columns 2 --classes 1", "--classes 1: from 2 to"),
    ("teacher --rows 5 --columns 1000000 --hidden 60000", "more than 4000000 parameters"),
    ("blobs --rows 5 --columns 2 --missing 1", "--missing 1.0: a share"),
    ("blobs --rows 5 --columns 2 --missing nan", "--missing nan: a share"),
    ("logistic --rows 5 --columns 2 --noise 1.5", "a share of the labels"),
    ("blobs --rows 5 --columns 2 --noise inf", "--noise inf: a deviation"),
    ("linear --rows 5 --columns 2 --drift sudden", "unknown value for --drift: 'sudden'"),
    ("linear --rows 5 --columns 2 --drift abrupt --drift-row 5", "--drift-row 5: a row from 0 to 4"),
    ("linear --rows 5 --columns 2 --drift-row 2", "--drift-row needs --drift"),
    ("linear --rows 5 --columns 2 --shards 6", "--shards 6: the training split has only 4 rows"),
    ("linear --rows 5 --columns 2 --test 1", "--test 1.0: a fraction"),
  ]) func refusals(words: String, message: String) throws {
    try CommandLineRun.fail(
      ["generate"] + words.split(separator: " ").map(String.init) + ["--output", "data"], ranks: 0, in: folder,
      code: 64,
      says: [message])
    #expect(try folder.names().isEmpty)
  }
}
