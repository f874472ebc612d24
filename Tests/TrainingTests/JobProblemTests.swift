import Failures
import Model
import Testing

@testable import Training

/// What a user reads about a job file that is wrong.
@Suite struct JobProblemTests {
  private func complaints(_ text: String) -> [String] { JobParsingTests.complaints(text) }

  /// What `--set` makes wrong of a job that is sound.
  private func complaints(setting overrides: String...) -> [String] {
    JobParsingTests.complaints(JobParsingTests.least, overrides)
  }

  @Test func roundedSumsNeedWholeLayers() {
    #expect(complaints(setting: "parallel.wire=bfloat16", "parallel.pipeline=2") == [])
    let found = complaints(setting: "parallel.wire=bfloat16", "parallel.tensor=2")
    #expect(found.count == 1 && found[0].contains("'parallel.tensor' must be 1"), "\(found)")
    #expect(complaints(setting: "parallel.wire=half").first?.contains("\"float32\" | \"bfloat16\"") == true)
  }

  /// All at once, each with its place.
  @Test func everyProblemIsToldWithLineAndColumn() {
    let text = """
      {
        data: { path: "", scal: 2 },
        model: { kind: "mpl" },
        optimizer: { kind: "adam", learning_rate: -1,
                     momentum: 0.9 },
        train: { batch_size: 0, epochs: 1.5 },
        seed: 3,
      }
      """
    #expect(
      complaints(text) == [
        "job.json:2:17: 'data.path' must be a text, not \"\"",
        "job.json:2:21: unknown key 'data.scal'; did you mean 'data.scale'?",
        "job.json:3:18: 'model.kind' must be \"linear\" | \"logistic\" | \"svm\" | \"softmax\" | \"mlp\", not \"mpl\"; "
          + "did you mean \"mlp\"?",
        "job.json:4:45: 'optimizer.learning_rate' must be a number above 0, not -1",
        "job.json:6:24: 'train.batch_size' must be an integer from 1 or \"full\", not 0",
        "job.json:6:35: 'train.epochs' must be an integer from 1 or null, not 1.5",
        "job.json:7:3: unknown key 'seed'; did you mean 'train.seed'?",
      ])
  }

  @Test(arguments: [
    (#"{ data: "d", model: { kind: "linear" } }"#, "job.json:1:9: 'data' must be an object { ... }, not \"d\""),
    (#"[1]"#, "job.json:1:1: a job must be an object { ... }, not a list"),
    (#"{ data: { path: ["d"] }, model: { kind: "linear" } }"#, "job.json:1:17: 'data.path' must be a text, not a list"),
  ])
  func sectionsOfAnotherKind(text: String, expected: String) {
    #expect(complaints(text).first == expected)
  }

  @Test(arguments: [
    ("optimiser.learning_rate", "optimizer"), ("optimizer.lr", "learning_rate"),
    ("train.batchsize", "train.batch_size"),
    ("learning_rate", "optimizer.learning_rate"), ("checkpoint.every_second", "checkpoint.every_seconds"),
  ])
  func mistypedKeysOfSet(key: String, meant: String) {
    let found = complaints(setting: "\(key)=1")
    #expect(found.count == 1 && found[0].hasPrefix("--set \(key): unknown key '\(key)'"), "\(found)")
    #expect(found[0].contains(meant), "\(found)")
  }

  @Test(arguments: [
    ("loss", "sqared", "squared"), ("optimizer.kind", "adma", "adam"), ("schedule.kind", "cosin", "cosine"),
    ("model.activation", "rellu", "relu"), ("parallel.reduction", "order", "ordered"),
    ("train.batch_size", "ful", "full"),
  ])
  func mistypedChoices(key: String, value: String, meant: String) {
    let found = complaints(setting: "\(key)=\(value)")
    #expect(found.count == 1 && found[0].hasSuffix("not \"\(value)\"; did you mean \"\(meant)\"?"), "\(found)")
  }

  @Test(arguments: [
    "train.batch_size=0", "train.batch_size=-1", "train.batch_size=2.5", "train.batch_size=1e300",
    "train.batch_size=99999999999999999999", "train.epochs=0", "train.steps=true", "train.seed=-1", "train.shuffle=1",
    "train.shuffle=\"true\"", "model.hidden=5", "model.hidden=[0]", "model.hidden=[\"a\"]", "data.scale=Infinity",
    "data.scale=NaN", "optimizer.learning_rate=0", "optimizer.learning_rate=1e999", "optimizer.beta1=1",
    "optimizer.beta2=-0.1", "penalty.l1=-1e-9", "penalty.l2=null", "schedule.factor=0", "schedule.factor=1.1",
    "checkpoint.keep=0", "output=", "output=null", "data.path=null", "parallel.virtual_ranks=-1", "train.clip_norm=-1",
    "parallel.micro_batches=0", "loss={}", "data={}", "train=3",
  ])
  func valuesOutOfRange(_ setting: String) {
    let found = complaints(setting: setting)
    let key = setting.prefix { $0 != "=" }
    #expect(found.contains { $0.hasPrefix("--set \(key): ") }, "\(found)")
  }

  /// Each of these is fine alone, and not together.
  @Test(arguments: [
    (["model.kind=mlp"], "model.hidden"), (["model.hidden=[3]"], "model.hidden"), (["loss=softmax"], "loss"),
    (["optimizer.momentum=0.5"], "optimizer.momentum"),
    (["optimizer.kind=sgd", "optimizer.beta1=0.5"], "optimizer.beta1"), (["schedule.kind=plateau"], "schedule.kind"),
    (["train.early_stopping.patience=1"], "train.early_stopping.patience"),
  ])
  func contradictions(settings: [String], key: String) {
    let found = JobParsingTests.complaints(JobParsingTests.least, settings)
    #expect(found.count == 1 && found[0].contains("'\(key)'"), "\(found)")
  }

  /// Epochs and steps exclude each other in a file; what `--set` says takes the place of the other.
  @Test func epochsOrSteps() throws {
    let text = #"{ data: { path: "d" }, model: { kind: "linear" }, train: { epochs: 2, steps: 3 } }"#
    #expect(complaints(text) == ["job.json:1:78: 'train.steps' and 'train.epochs' cannot both be given"])
    let epochs = text.replacing(", steps: 3", with: "")
    #expect(try JobParsingTests.parse(epochs, ["train.steps=5"]).length == .steps(5))
  }

  /// `--set` takes JSON5, or else a text; the last of several counts.
  @Test func overrides() throws {
    let job = try JobParsingTests.parse(
      JobParsingTests.least,
      ["data.path=a=b c", "loss='absolute'", "train.seed=5", "train.seed=6", "train.steps=7", "model.kind=linear"])
    #expect(job.data.path == "a=b c" && job.loss == .absolute && job.seed == 6 && job.length == .steps(7))
    for wrong in ["train.seed", "=5", ""] {
      let failure = #expect(throws: Failure.self) { try JobOverride(parsing: wrong) }
      #expect(failure?.code == .usage)
    }
  }

  /// The parser's own errors have their place too.
  @Test func syntaxErrors() {
    for (text, place) in [
      ("{ data: { path: \"d\" \n model: 3 }", "2:2"), ("", "1:1"), ("{ output: 'a', output: 'b' }", "1:16"),
    ] {
      let found = complaints(text)
      #expect(found.count == 1 && found[0].hasPrefix("job.json:\(place):"), "\(found)")
    }
  }
}
