import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Python.isAvailable)) struct InspectTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("inspect") }

  private func inspect(_ path: String, _ more: String...) throws -> RunResult {
    try Run.program(Binaries.apus, ["inspect", path] + more, workingDirectory: folder.path)
  }

  /// The object that `--json` prints.
  private func object(_ path: String) throws -> [String: Any] {
    let result = try inspect(path, "--json")
    return try #require(try JSONSerialization.jsonObject(with: Data(result.outputBytes)) as? [String: Any])
  }

  /// A data set of two columns and three classes in `things`, and a run on it in `run` with checkpoints of steps 4, 8, ...
  private func train() throws {
    var csv = "size,weight,kind\n"
    for row in 0..<60 { csv += "\(row % 10 + (row % 3) * 20),\(row * 7 % 13),\(["a", "b", "c"][row % 3])\n" }
    try folder.write(text: csv, to: "things.csv")
    try folder.write(
      text: """
        { data: { path: "things" }, model: { kind: "mlp", hidden: [5], activation: "tanh" }, train: { epochs: 2, batch_size: 12 },
          checkpoint: { every_steps: 4 }, output: "run" }
        """, to: "job.json")
    for arguments in [
      [
        "prepare", "things.csv", "--target", "kind", "--output", "things", "--standardize", "--test", "0.2", "--shards",
        "2",
      ],
      ["train", "job.json", "--set", "data.validation_split=test"],
    ] {
      let result = try Run.program(Binaries.apus, arguments, workingDirectory: folder.path)
      #expect(result.exitCode == 0, "\(result)")
    }
  }

  @Test("a data set: by its directory and by its dataset.json") func dataset() throws {
    try train()
    let result = try inspect("things")
    #expect(result.exitCode == 0, "\(result)")
    #expect(result.standardError == "")
    for line in [
      "things: data set", "rows            60", "columns         2: size, weight",
      "target          kind, 3 classes: a, b, c",
      "transformation  standardize, fitted on the training split; reading makes mean 0 and deviation 1",
      "stored          /features: float32, chunks of 24 rows, Fletcher32", "train    48       2",
    ] {
      #expect(result.standardOutput.contains(line), "\(line) in \(result)")
    }
    #expect(try inspect("things/dataset.json").standardOutput == result.standardOutput)
    let json = try object("things")
    #expect(json["kind"] as? String == "dataset")
    #expect(json["rows"] as? Int == 60)
    #expect((json["shards"] as? [Any])?.count == 3)

    try FileManager.default.removeItem(atPath: folder.file("things/train-00001-of-00002.h5"))
    let incomplete = try inspect("things")
    #expect(incomplete.exitCode == 66)
    #expect(incomplete.standardOutput.contains("train-00001-of-00002.h5    24  missing"), "\(incomplete)")
  }

  @Test("an HDF5 file: data sets in groups, attributes, links that are not followed") func hdf5() throws {
    try Python.text(
      """
      import h5py, numpy as np, sys
      with h5py.File(sys.argv[1], "w") as f:
          f.attrs["title"] = "a file"
          g = f.create_group("train")
          d = g.create_dataset("x", data=np.zeros((100, 4, 5), "u1"), chunks=(50, 4, 5), compression="gzip", shuffle=True)
          d.attrs["scale"] = [0.5, 2.0]
          f["y"] = np.arange(7, dtype="i8")
          f["again"] = g
          g["loop"] = f["/"]
          f["away"] = h5py.ExternalLink("/etc/passwd", "/x")
      """, [folder.file("some.bin")])
    let result = try inspect("some.bin")
    #expect(result.exitCode == 0, "\(result)")
    for line in [
      "some.bin: HDF5 file", "/train/x ", "uint8  [100 × 4 × 5]  [50 × 4 × 5]  shuffle, deflate 4", "/y ", "int64  [7]",
      "/away", "a link, which is not followed", "title  a file", "scale  0.5, 2",
    ] {
      #expect(result.standardOutput.contains(line), "\(line) in \(result)")
    }
    let objects = try #require(try object("some.bin")["objects"] as? [[String: Any]])
    let set = try #require(objects.first { $0["path"] as? String == "/train/x" })
    #expect(set["shape"] as? [Int] == [100, 4, 5])
    #expect((set["attributes"] as? [String: Any])?["scale"] as? [Double] == [0.5, 2])
  }

  @Test("HDF5 files without dataset.json: a directory and a pattern") func files() throws {
    for name in ["a", "b"] {
      try folder.write(text: "", to: "parts/readme.txt")
      try Python.text(
        "import h5py, numpy, sys; h5py.File(sys.argv[1], 'w')['x'] = numpy.zeros((4, 5), 'f4')",
        [folder.file("parts/\(name).h5")])
    }
    for path in ["parts", "parts/*.h5"] {
      let result = try inspect(path)
      #expect(result.exitCode == 0, "\(result)")
      #expect(result.standardOutput.contains("\(path): 2 HDF5 files without a dataset.json"))
      #expect(result.standardOutput.contains("parts/b.h5  /x        float32  [4 × 5]"), "\(result)")
    }
    try folder.write(text: "not HDF5", to: "parts/c.h5")
    let damaged = try inspect("parts")
    #expect(damaged.exitCode == 65)
    #expect(damaged.standardOutput.contains("'parts/c.h5' is not an HDF5 file"))
  }

  @Test("a model, a checkpoint and a run") func run() throws {
    try train()
    let model = try inspect("run/model.safetensors")
    #expect(model.exitCode == 0, "\(model)")
    for line in [
      "run/model.safetensors: model", "layers         2 -> 5 tanh -> 3", "loss           softmax", "parameters     33",
      "classes        a, b, c", "columns        size, weight", "normalization  mean and deviation of each column",
      "step           8",
      "layers.1.weight  F32   [3 × 5]        15",
    ] {
      #expect(model.standardOutput.contains(line), "\(line) in \(model)")
    }
    let description = try #require(try object("run/model.safetensors")["model"] as? [String: Any])
    #expect(description["sizes"] as? [Int] == [2, 5, 3])
    #expect((description["job"] as? [String: Any])?["model"] != nil)

    let checkpoint = try inspect("run/checkpoints/step-000000004")
    #expect(checkpoint.exitCode == 0, "\(checkpoint)")
    #expect(checkpoint.standardOutput.contains("step   4\nstate  verified"))
    let moments = try inspect("run/checkpoints/step-000000004/optimizer.safetensors")
    #expect(moments.standardOutput.contains("layers.0.weight"))
    #expect(moments.standardOutput.contains("optimizer.safetensors: tensors"))

    let run = try inspect("run")
    #expect(run.exitCode == 0, "\(run)")
    for line in [
      "model.hidden                   5", "last metrics     step 8, epoch 2, loss",
      "last validation  step 8, epoch 2, validation_loss",
      "model            model.safetensors: mlp 2 -> 5 tanh -> 3, 33 parameters, after step 8", "step 4      verified",
    ] {
      #expect(run.standardOutput.contains(line), "\(line) in \(run)")
    }
    let json = try object("run")
    #expect((json["last_metrics"] as? [String: Any])?["step"] as? Int == 8)
    #expect((json["checkpoints"] as? [[String: Any]])?.first?["verified"] as? Bool == true)
  }

  @Test("a damaged checkpoint is named, by itself and in its run") func damaged() throws {
    try train()
    let name = "run/checkpoints/step-000000004/optimizer.safetensors"
    var bytes = try folder.read(name)
    bytes[bytes.count / 2] ^= 1
    try folder.write(bytes, to: name)
    let checkpoint = try inspect("run/checkpoints/step-000000004")
    #expect(checkpoint.exitCode == 65)
    #expect(checkpoint.standardOutput.contains("damaged: '\(name)' has the checksum"), "\(checkpoint)")
    #expect(try object("run/checkpoints/step-000000004")["verified"] as? Bool == false)
    let run = try inspect("run")
    #expect(run.exitCode == 65)
    #expect(run.standardOutput.contains("step 4      damaged"))
  }

  @Test("nothing that Apus knows") func unknown() throws {
    try folder.write(text: "x", to: "digits/readme.txt")
    try folder.write(text: "<html>", to: "page.h5")
    let missing = try inspect("digit")
    #expect(missing.exitCode == 66)
    #expect(missing.standardError.hasPrefix("apus: 'digit' does not exist\n"), "\(missing)")
    #expect(missing.standardError.contains("digits'?"), "\(missing)")
    let directory = try inspect("digits")
    #expect(directory.exitCode == 65)
    #expect(directory.standardError.contains("the directory 'digits' holds nothing that Apus knows"))
    let page = try inspect("page.h5")
    #expect(page.exitCode == 65)
    #expect(page.standardError.contains("begins with \"<html>\" (a web page?"))
    #expect(page.standardError.contains("hint: inspect knows"))
    try folder.write([255, 255, 255, 255, 255, 255, 255, 127] + Array("{}".utf8), to: "huge.safetensors")
    #expect(try inspect("huge.safetensors").exitCode == 65)
  }

  @Test("one rank speaks, and alone it needs no MPI") func ranks() throws {
    try folder.write(text: "x", to: "digits/readme.txt")
    try ModelFixture.write(to: folder, kind: "linear", loss: "squared", outputs: 1, rows: 5)
    let alone = try inspect("model.safetensors")
    let many = try MPILauncher.run(
      ranks: 3, Binaries.apus, ["inspect", "model.safetensors"], workingDirectory: folder.path)
    #expect(many.exitCode == 0, "\(many)")
    #expect(many.standardOutput == alone.standardOutput)
    let failed = try MPILauncher.run(ranks: 2, Binaries.apus, ["inspect", "digits"], workingDirectory: folder.path)
    #expect(failed.exitCode == 65)
    #expect(failed.errorLines.count { $0.hasPrefix("apus:") } == 1, "\(failed)")
    // MPI would not find its parts there, and end the program.
    let nowhere = ["OPAL_PREFIX": "/nowhere"]
    let without = try Run.program(
      Binaries.apus, ["inspect", "model.safetensors"], environment: nowhere, workingDirectory: folder.path)
    #expect(without.standardOutput == alone.standardOutput, "\(without)")
    #expect(try Run.program(Binaries.rankCases, ["exit75"], environment: nowhere).exitCode != 75)
  }
}
