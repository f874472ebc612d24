import TestSupport
import Testing

/// Shards whose data lie in other files: refused, unless the job says that their source is trusted.
@Suite(.enabled(if: Python.isAvailable)) struct TrustedDataTests {
  let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory("trusted")
    try Python.text(
      """
      import h5py, numpy as np, os
      x = np.random.default_rng(1).normal(size=(200, 4)).astype("f4"); y = x @ np.array([1, -2, 3, 0.5], "f4")
      for name in ("plain", "elsewhere"): os.makedirs(name)
      for i in range(4):
          rows = slice(50 * i, 50 * i + 50)
          with h5py.File(f"plain/part-{i}.h5", "w") as file: file["features"] = x[rows]; file["targets"] = y[rows]
      with h5py.File("elsewhere/part-0.h5", "w") as file:
          file["a/x"] = x[:50]; file["features"] = h5py.SoftLink("/a/x"); file["targets"] = y[:50]
      with h5py.File("elsewhere/part-1.h5", "w") as file:
          for name in ("features", "targets"): file[name] = h5py.ExternalLink("../plain/part-1.h5", "/" + name)
      x[100:150].tofile("elsewhere/x.raw")
      with h5py.File("elsewhere/part-2.h5", "w") as file:
          file.create_dataset("features", (50, 4), "f4", external=[(os.path.abspath("elsewhere/x.raw"), 0, 800)]); file["targets"] = y[100:150]
      with h5py.File("elsewhere/part-3.h5", "w") as file:
          layout = h5py.VirtualLayout((50, 4), "f4")
          layout[:] = h5py.VirtualSource("../plain/part-3.h5", "features", (50, 4))
          file.create_virtual_dataset("features", layout); file["targets"] = y[150:]
      """, workingDirectory: folder.path)
    try folder.write(
      text: """
        { data: { path: "elsewhere" }, model: { kind: "linear" }, optimizer: { kind: "sgd", learning_rate: 0.01 },
          train: { epochs: 2, batch_size: 20 }, parallel: { virtual_ranks: 4 }, output: "run" }
        """, to: "job.json")
  }

  @Test(arguments: [
    (0, "is a soft link"), (1, "is a link to another file"), (2, "external storage"), (3, "is a virtual data set"),
  ])
  func refused(_ part: Int, _ message: String) throws {
    try CommandLineRun.fail(
      ["train", "job.json", "--set", "data.path=elsewhere/part-\(part).h5"], ranks: 2, in: folder, code: 65,
      says: ["elsewhere/part-\(part).h5", message])
  }

  @Test func trainsAsIfTheDataWereThere() throws {
    try CommandLineRun.succeed(["train", "job.json", "--set", "data.trusted=true"], ranks: 2, in: folder)
    try CommandLineRun.succeed(
      ["train", "job.json", "--set", "data.path=plain", "--set", "output=plain-run"], ranks: 1, in: folder)
    let differences: Int = try Python.value(
      """
      from safetensors.numpy import load_file
      one, other = (load_file(f"{run}/model.safetensors") for run in ("run", "plain-run"))
      print(sum(one[k].tobytes() != other[k].tobytes() for k in other) + abs(len(one) - len(other)))
      """, workingDirectory: folder.path)
    #expect(differences == 0)
    // The other commands want to be told as well.
    let predict = ["predict", "run", "elsewhere", "--output", "out.csv"]
    try CommandLineRun.fail(predict, ranks: 0, in: folder, code: 65, says: ["elsewhere/part-0.h5", "a soft link"])
    try CommandLineRun.succeed(predict + ["--trusted"], ranks: 0, in: folder)
    try CommandLineRun.fail(
      ["evaluate", "run", "elsewhere"], ranks: 0, in: folder, code: 65, says: ["elsewhere/part-0.h5"])
    let judged = try CommandLineRun.succeed(["evaluate", "run", "elsewhere", "--trusted"], ranks: 2, in: folder)
    let plain = try CommandLineRun.succeed(["evaluate", "run", "plain"], ranks: 1, in: folder)
    #expect(judged.standardOutput == plain.standardOutput)
    let prepare = ["prepare", "--from", "elsewhere", "--output", "prepared"]
    try CommandLineRun.fail(prepare, ranks: 0, in: folder, code: 65, says: ["elsewhere/part-0.h5"])
    try CommandLineRun.succeed(prepare + ["--trusted"], ranks: 2, in: folder)
  }
}
