import TestSupport
import Testing

/// Model files that are none, and models that do not fit: `FAULTS.md`, rows B1, B16 and B19, through the command.
@Suite(.enabled(if: Python.isAvailable)) struct BadInputModelTests {
  let folder: TemporaryDirectory
  let files = BadInputFiles.shared

  init() throws {
    folder = try TemporaryDirectory("badmodel")
    let job =
      #"{ model: { kind: "softmax" }, train: { epochs: 2, batch_size: 32 }, data: { path: "DATA" }, output: "run" }"#
    try folder.write(text: job.replacing("DATA", with: files.path("good")), to: "job.json")
  }

  private func fail(
    _ arguments: [String], ranks: Int = 0, code: Int32 = 65, says words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try CommandLineRun.fail(
      arguments, ranks: ranks, in: folder, code: code, says: words, sourceLocation: sourceLocation)
    // A header that promises much is refused before anything is made for it. (Without mpirun the program itself is measured.)
    if ranks == 0 {
      #expect(
        result.processorTime < .seconds(1) && result.peakMemoryBytes < 100_000_000, sourceLocation: sourceLocation)
    }
  }

  /// The file of a model as it was written, and with one thing wrong each.
  private static let damage = """
    import copy, json, struct, sys, numpy as np
    whole = open("run/model.safetensors", "rb").read()
    length = struct.unpack("<Q", whole[:8])[0]
    header, values = json.loads(whole[8:8 + length]), whole[8 + length:]
    # The checksum would be wrong each time, before anything else is.
    for key in ("checksum", "format"): del header["__metadata__"][key]

    def write(name, header, values=values, length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        with open(name, "wb") as file:
            file.write(struct.pack("<Q", len(text) if length is None else length) + text + values)

    def changed(**keys):
        result = copy.deepcopy(header)
        for name, (key, value) in keys.items(): result[name.replace("__", ".")][key] = value
        return result

    bias, weight = "layers__0__bias", "layers__0__weight"
    write("huge.safetensors", header, length=2 ** 63)
    write("large.safetensors", header, length=2 ** 40)
    write("overlap.safetensors", changed(**{bias: ("data_offsets", [0, 12])}))
    write("negative.safetensors", changed(**{bias: ("data_offsets", [-12, 0])}))
    write("gap.safetensors", header, values=values + b"1234")
    write("shape.safetensors", changed(**{weight: ("shape", [1 << 40, 1 << 40])}))
    write("twice.safetensors", json.dumps(header).replace('"layers.0.bias"', '"layers.0.weight"').encode())
    write("deep.safetensors", b'{"a":' * 100_000)
    write("type.safetensors", changed(**{bias: ("dtype", "F33")}))
    write("kind.safetensors", {**header, "__metadata__": {**header["__metadata__"], "kind": "forest"}})
    write("bare.safetensors", {key: value for key, value in header.items() if key != "__metadata__"})
    nan = bytearray(values); nan[4:8] = struct.pack("<f", float("nan")); write("nan.safetensors", header, bytes(nan))
    open("cut.safetensors", "wb").write(whole[:-7])
    open("empty.safetensors", "wb")
    open("text.safetensors", "w").write("This is a text and no model.")
    """

  @Test func damagedModels() throws {
    try CommandLineRun.succeed(["train", "job.json"], ranks: 0, in: folder)
    try Python.text(Self.damage, workingDirectory: folder.path)
    let cases: [(name: String, says: String)] = [
      ("huge", "which makes a header of 9223372036854775808 bytes in a file of"),
      ("large", "a header of 1099511627776 bytes"),
      ("overlap", "the tensors 'layers.0.bias' and 'layers.0.weight' overlap"),
      ("negative", "the offsets of \"layers.0.bias\" are not two numbers, 0 or more and ascending"),
      ("gap", "has 4 bytes behind its last tensor"),
      ("shape", "the tensor \"layers.0.weight\" is too large for any file"),
      ("twice", "the key 'layers.0.weight' was given before"),
      ("deep", "more than 4 arrays and objects within each other"),
      ("type", "\"layers.0.bias\" has the unknown type \"F33\""), ("kind", "has the unknown kind 'forest'"),
      ("bare", "has no metadata 'kind'"), ("nan", "element 1 of 'layers.0.weight' is not finite"),
      ("cut", "is truncated: its tensors take 72 bytes, 65 are there"),
      ("empty", "is no safetensors file, or is truncated: it has 0 bytes"),
      ("text", "is no safetensors file, or is truncated: it begins with \"This is \""),
    ]
    let model = try folder.read("run/model.safetensors")
    for (name, says) in cases {
      let path = "\(name).safetensors"
      try fail(["evaluate", path, files.path("good")], says: ["'\(path)'", says])
      guard ["huge", "nan", "empty"].contains(name) else { continue }
      try fail(
        ["train", "job.json", "--overwrite", "--set", "train.initial_model=\(path)"], says: ["'\(path)'", says])
    }
    try fail(["evaluate", "huge.safetensors", files.path("good")], ranks: 3, says: ["'huge.safetensors'"])
    try fail(
      ["train", "job.json", "--overwrite", "--set", "train.initial_model=nan.safetensors"], ranks: 3,
      says: ["'nan.safetensors': element 1 of 'layers.0.weight' is not finite"])
    #expect(try folder.read("run/model.safetensors") == model, "the run that was to be replaced is still there")
  }

  @Test func noModel() throws {
    try fail(
      ["evaluate", "nothing", files.path("good")], ranks: 3, code: 66, says: ["the model 'nothing' does not exist"])
    try folder.write(text: "", to: "run/job.json")
    try fail(
      ["evaluate", "run", files.path("good")], ranks: 3, code: 66,
      says: ["the directory 'run' holds no model.safetensors", "hint: a run writes it when it ends"])
    try fail(["evaluate", files.path("good/part-0.h5"), files.path("good")], says: ["is no safetensors file", ".HDF"])
  }

  // MARK: B19: model and data that do not fit

  @Test func otherColumns() throws {
    try CommandLineRun.succeed(["train", "job.json"], ranks: 2, in: folder)
    try fail(
      ["evaluate", "run", files.path("columns/part-3.h5")], ranks: 3,
      says: ["the data have 6 columns, and the model was trained on 5"])
    let start = ["train", "job.json", "--set", "train.initial_model=run", "--set", "output=second", "--dry-run"]
    try fail(
      start + ["--set", "data.path=\(files.path("columns/part-3.h5"))"], ranks: 3,
      says: ["the tensor 'layers.0.weight' has the shape [3, 5], the model needs [3, 6]"])
    try fail(
      start + ["--set", "model.kind=mlp", "--set", "model.hidden=[4]"],
      says: ["the tensor 'layers.0.weight' has the shape [3, 5], the model needs [4, 5]"])
    #expect(!folder.contains("second"))
  }

  @Test func otherClasses() throws {
    try CommandLineRun.succeed(["train", "job.json"], ranks: 2, in: folder)
    // The model knows three classes, the label is a fourth.
    try Python.text(
      """
      import h5py, shutil, sys
      shutil.copyfile(sys.argv[1], "other.h5")
      with h5py.File("other.h5", "r+") as file: file["targets"][30] = 3
      """, [files.path("good/part-0.h5")], workingDirectory: folder.path)
    try fail(
      ["evaluate", "run", "other.h5"], ranks: 3,
      says: ["'other.h5', row 30: the label is 3; allowed is a whole number from 0 to 2", "hint: labels count from 0"])
    // Classes by name, as dataset.json has them.
    try folder.write(
      text: "a,b,c,d,e,kind\n" + (0..<40).map { "1,2,3,4,\($0),\(["x", "y", "z"][$0 % 3])\n" }.joined(), to: "table.csv"
    )
    try CommandLineRun.succeed(["prepare", "table.csv", "--target", "kind", "--output", "named"], ranks: 0, in: folder)
    try fail(
      ["evaluate", "run", "named"], ranks: 3,
      says: ["the data have the 3 classes x, y, z, and the model was trained on the 3 classes 0, 1, 2"])
  }

  @Test func otherNumberOfTargets() throws {
    try CommandLineRun.succeed(["train", "job.json", "--set", "model.kind=linear"], ranks: 2, in: folder)
    try fail(
      ["evaluate", "run", files.path("one-hot")], ranks: 3,
      says: ["the targets 'targets' in '\(files.path("one-hot/part-0.h5"))' have 3 values a row; wanted are 1"])
  }

  // MARK: Checkpoints

  /// The newest checkpoint is named and left out, whatever is wrong with it, and the one before it is gone on from.
  @Test func damagedCheckpoints() throws {
    let job = ["train", "job.json", "--set", "checkpoint.every_steps=5", "--set", "train.steps=10"]
    let damage = [
      "open('manifest.json', 'w').write('[' * 1_000_000)", "open('manifest.json', 'w').write('{\"step\": 1e400}')",
      "open('model.safetensors', 'r+b').write((2 ** 63).to_bytes(8, 'little'))",
      "open('model.safetensors', 'r+b').truncate(40)",
      "__import__('os').remove('optimizer.safetensors')", "open('state.json', 'w').write('{}')",
    ]
    for code in damage {
      try CommandLineRun.succeed(job + ["--overwrite"], ranks: 0, in: folder)
      let model = try folder.read("run/model.safetensors")
      try Python.text(code, workingDirectory: folder.file("run/checkpoints/step-000000010"))
      let result = try CommandLineRun.succeed(job + ["--resume"], ranks: 0, in: folder)
      #expect(result.messages.count == 1, "\(result)")
      #expect(
        result.message.contains("warning: the checkpoint 'run/checkpoints/step-000000010' cannot be used: "),
        "\(result)")
      #expect(result.standardError.contains("resumed after step 5"), "\(result)")
      #expect(try folder.read("run/model.safetensors") == model)
    }
  }

  @Test func quantitiesForClasses() throws {
    try folder.write(text: "a,b,y\n" + (0..<40).map { "1,\($0),\(Double($0) / 7)\n" }.joined(), to: "table.csv")
    try CommandLineRun.succeed(["prepare", "table.csv", "--target", "y", "--output", "data"], ranks: 0, in: folder)
    try fail(
      ["train", "job.json", "--set", "data.path=data"], ranks: 3,
      says: ["the loss softmax separates classes, and the target 'y' is a quantity", "hint: use model.kind \"linear\""])
    #expect(!folder.contains("run"))
  }

  @Test func moreClassesThanAModelSeparates() throws {
    try fail(
      ["train", "job.json", "--set", "model.kind=logistic"], ranks: 3,
      says: ["the loss logistic separates 2 classes, and the targets have 3", "hint: use model.kind \"softmax\""])
  }

  /// `dataset.json` and the shards must agree.
  @Test func shardThatWasChanged() throws {
    try folder.write(text: "a,b,y\n" + (0..<40).map { "1,\($0),\($0 % 2)\n" }.joined(), to: "table.csv")
    try CommandLineRun.succeed(["prepare", "table.csv", "--target", "y", "--output", "data"], ranks: 0, in: folder)
    try Python.text(
      """
      import h5py
      with h5py.File("data/train-00000-of-00001.h5", "r+") as file:
          x, y = file["features"][:], file["targets"][:]
          del file["features"], file["targets"]
          file["features"], file["targets"] = x[:-2], y[:-2]
      """, workingDirectory: folder.path)
    try fail(
      ["train", "job.json", "--set", "data.path=data"], ranks: 3,
      says: ["'data/train-00000-of-00001.h5' has 30 rows, dataset.json says 32", "hint: one of the two was changed"])
  }
}
