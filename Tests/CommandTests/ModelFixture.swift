import TestSupport

/// Models and data that Python writes, and what numpy makes of them.
enum ModelFixture {
  /// Writes `model.safetensors` of one dense layer, `x` of `rows` rows in uneven shards `part-*.h5` (one is empty), the same rows as
  /// `data.csv`, and the scores that numpy computes in double precision as `expected.h5` with `scores`.
  ///
  /// - Parameters:
  ///   - classes: names of the classes; none for a regression.
  ///   - normalized: the model was trained on normalized features.
  static func write(
    to folder: TemporaryDirectory, kind: String, loss: String, outputs: Int, classes: [String] = [], rows: Int,
    normalized: Bool = false, named: Bool = true
  ) throws {
    struct Request: Encodable {
      let folder: String, kind: String, loss: String, outputs: Int, classes: [String], rows: Int, normalized: Bool,
        named: Bool
    }
    let request = Request(
      folder: folder.path, kind: kind, loss: loss, outputs: outputs, classes: classes, rows: rows,
      normalized: normalized,
      named: named)
    let _: Int = try Python.value(
      """
      import csv, json, sys
      import h5py, numpy as np
      from safetensors.numpy import save_file
      r = json.load(sys.stdin)
      folder, rows, outputs = r["folder"], r["rows"], r["outputs"]
      random = np.random.default_rng(7)
      names = ["height", "width", "weight"]
      x = (random.normal(size=(rows, 3)) * [2, 30, 0.5] + [1, 100, -3]).round(4).astype(np.float32)
      w = random.normal(size=(outputs, 3)).astype(np.float32)
      b = random.normal(size=outputs).astype(np.float32)
      normalization = {"scale": 1, "means": None, "scales": None}
      z = x.astype(np.float64)
      if r["normalized"]:
          means, scales = [1.0, 100.0, -3.0], [2.0, 30.0, 0.5]
          normalization.update(means=means, scales=scales)
          z = (z - means) / scales
      else:
          w[:, 1] /= 30
      save_file({"layers.0.weight": w, "layers.0.bias": b}, folder + "/model.safetensors", {
          "format": "apus-model-1", "kind": r["kind"], "activation": "relu", "loss": r["loss"],
          "classes": json.dumps(r["classes"]), "columns": json.dumps(names if r["named"] else []), "target": "kind",
          "normalization": json.dumps(normalization), "step": "12", "job": "{}"})
      with h5py.File(folder + "/expected.h5", "w") as f:
          f["scores"] = z @ w.T.astype(np.float64) + b
      cuts = [0, rows // 7, rows // 7, rows // 2, rows]
      for i in range(4):
          with h5py.File(f"{folder}/part-{i}.h5", "w") as f:
              f.create_dataset("x", data=x[cuts[i]:cuts[i + 1]])
      with open(folder + "/data.csv", "w", newline="") as f:
          out = csv.writer(f)
          out.writerow(["weight", "comment", "height", "width"])
          out.writerows([f"{v[2]:.9g}", "none, really", f"{v[0]:.9g}", f"{v[1]:.9g}"] for v in x)
      print(rows)
      """, json: request)
  }

  /// The most that the predictions in `name` differ from what numpy makes of the scores of the fixture, and what else is wrong.
  static func difference(_ folder: TemporaryDirectory, _ name: String, kind: String) throws -> Difference {
    try Python.value(
      """
      import json, sys
      import h5py, numpy as np
      folder, name, kind = sys.argv[1:]
      scores = h5py.File(folder + "/expected.h5")["scores"][:]
      f = h5py.File(folder + "/" + name)
      names = sorted(f)
      wrong = 0
      if kind == "values":
          found = f["values"][:]
          expected = scores[:, 0] if scores.shape[1] == 1 else scores
      elif kind == "softmax":
          e = np.exp(scores - scores.max(axis=1, keepdims=True))
          expected, found = e / e.sum(axis=1, keepdims=True), f["probabilities"][:]
          wrong = int((f["labels"][:] != found.argmax(axis=1)).sum())
      elif kind == "logistic":
          p = 1 / (1 + np.exp(-scores[:, 0]))
          expected, found = np.stack([1 - p, p], axis=1), f["probabilities"][:]
          wrong = int((f["labels"][:] != (found[:, 1] > 0.5)).sum())
      else:
          expected, found = (scores[:, 0] if scores.shape[1] == 1 else scores), f["scores"][:]
          best = found > 0 if found.ndim == 1 else found.argmax(axis=1)
          wrong = int((f["labels"][:] != best).sum())
      same = list(found.shape) == list(expected.shape)
      most = float(np.abs(found - expected).max()) if same and found.size else 0.0
      classes = [c.decode() for c in f["classes"][:]] if "classes" in f else []
      types = [str(f[n].dtype) for n in names if n != "classes"]
      print(json.dumps(dict(names=names, shape=found.shape, isSameShape=same, most=most, wrongLabels=wrong, classes=classes, types=types)))
      """, [folder.path, name, kind])
  }

  struct Difference: Decodable {
    let names: [String]
    let shape: [Int]
    let isSameShape: Bool
    /// The largest difference of a number.
    let most: Double
    /// Labels that are not those of the largest number.
    let wrongLabels: Int
    let classes: [String]
    let types: [String]
  }
}
