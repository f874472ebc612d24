import Foundation
import TestSupport

/// Good data and every kind of bad data, written once by h5py and shared by the tests, which only read them.
final class BadInputFiles: Sendable {
  static let shared: BadInputFiles = {
    // The files go when the test runner ends.
    atexit { try? FileManager.default.removeItem(atPath: BadInputFiles.shared.folder.path) }
    do { return try BadInputFiles() } catch { fatalError("the files of the tests cannot be written: \(error)") }
  }()

  let folder: TemporaryDirectory

  private init() throws {
    folder = try TemporaryDirectory("badinput")
    try Python.text(Self.script, [folder.path])
  }

  /// The path of a file or folder that `script` made.
  func path(_ name: String) -> String { folder.file(name) }

  /// Four shards a folder, of 40, 41, 42 and 43 rows, 5 columns and 3 classes. Each folder but `good` has one thing wrong.
  private static let script = """
    import h5py, numpy as np, os, shutil, sys
    os.chdir(sys.argv[1])
    random = np.random.default_rng(1)

    def shard(path, rows, columns=5, features=None, targets=None, names=("features", "targets"), **options):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with h5py.File(path, "w") as file:
            x = random.normal(size=(rows, columns)).astype("f4") if features is None else features
            y = (np.arange(rows) % 3).astype("i4") if targets is None else targets
            file.create_dataset(names[0], data=x, **options)
            file[names[1]] = y

    def edit(path, name, index, value):
        with h5py.File(path, "r+") as file: file[name][index] = value

    def shards(folder):
        for i in range(4): shutil.copyfile(f"good/part-{i}.h5", os.path.join(folder, f"part-{i}.h5"))

    def bad(folder):
        os.makedirs(folder); shards(folder); return f"{folder}/part-3.h5"

    for i in range(4): shard(f"good/part-{i}.h5", 40 + i, chunks=(8, 5), fletcher32=True)
    edit(bad("nan"), "features", (17, 2), np.nan)
    edit(bad("infinite"), "features", (17, 2), -np.inf)
    bad("nan-everywhere")
    for i in range(4): edit(f"nan-everywhere/part-{i}.h5", "features", (3, 1), np.nan)
    edit(bad("negative"), "targets", 11, -1)
    with h5py.File(bad("nan-target"), "r+") as file:
        y = file["targets"][:].astype("f4"); y[11] = np.nan; del file["targets"]; file["targets"] = y
    for i in range(3):
        with h5py.File(f"nan-target/part-{i}.h5", "r+") as file:
            y = file["targets"][:].astype("f4"); del file["targets"]; file["targets"] = y
    shard(bad("columns"), 43, columns=6)
    with h5py.File(bad("types"), "r+") as file:
        y = file["targets"][:].astype("f8"); del file["targets"]; file["targets"] = y
    shard(bad("names"), 43, names=("x", "targets"))
    with h5py.File(bad("rows"), "r+") as file:
        y = file["targets"][:40]; del file["targets"]; file["targets"] = y
    path = bad("truncated")
    data = open(path, "rb").read(); open(path, "wb").write(data[:len(data) // 2])
    os.makedirs("web"); open("web/page.h5", "w").write("<!DOCTYPE html><html><body>404 Not Found</body></html>")
    open("web/empty.h5", "w"); open("web/text.h5", "w").write("a,b,c\\n1,2,3\\n")
    path = bad("flipped")
    with h5py.File(path) as file: chunk = file["features"].id.get_chunk_info(2)
    with open(path, "r+b") as file:
        file.seek(chunk.byte_offset + 5); byte = file.read(1)
        file.seek(chunk.byte_offset + 5); file.write(bytes([byte[0] ^ 0x10]))
    bad("empty-shard"); shard("empty-shard/part-1.h5", 0)
    shard("no-rows/part-0.h5", 0)
    shard("fractional/part-0.h5", 43, targets=np.where(np.arange(43) == 11, 1.5, np.arange(43) % 3).astype("f4"))
    shard("one-hot/part-0.h5", 30, targets=np.eye(3, dtype="f4")[np.where(np.arange(30) == 9, 0, np.arange(30) % 3)])
    edit("one-hot/part-0.h5", "targets", (9, 2), 1)
    shard("minus-one/part-0.h5", 30, targets=np.where(np.arange(30) % 2, 1, -1).astype("i4"))
    shard("words/part-0.h5", 30, targets=np.array(["a", "b"] * 15, dtype="S1"))
    with h5py.File(bad("linked"), "r+") as file:
        del file["features"]; file["features"] = h5py.ExternalLink("part-0.h5", "/features")
    shard("filter/part-0.h5", 30, compression="lzf", chunks=(8, 5))
    """
}
