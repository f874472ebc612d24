import Foundation
import TestSupport

/// The metrics of a model on a data set as numpy computes them, from the weights that safetensors reads and the data that h5py reads.
enum EvaluateMetrics {
  /// What `evaluate --json` prints, and what `reference` prints.
  struct Report: Decodable, Equatable {
    struct Class: Decodable, Equatable {
      let `class`: String
      let precision: Double
      let recall: Double
      let f1: Double
      let rows: Int
    }

    let rows: Int
    let loss: Double
    var accuracy: Double?
    var auc: Double?
    var classes: [Class]?
    var confusion: [[Int]]?
    var mse: Double?
    var rmse: Double?
    var mae: Double?
    var r2: Double?

    init(_ result: RunResult) throws {
      self = try JSONDecoder().decode(Self.self, from: Data(result.standardOutput.utf8))
    }
  }

  /// The report that numpy gives for the model at `model` on the HDF5 files `shards`.
  ///
  /// Definitions are scikit-learn's: a precision, recall or F1 of nothing is 0, and the area under the ROC curve counts ties half.
  static func reference(
    model: String, shards: [String], features: String = "features", targets: String = "targets",
    in folder: TemporaryDirectory
  ) throws -> Report {
    try Python.value(script, [model, features, targets] + shards, workingDirectory: folder.path)
  }

  private static let script = """
    import h5py, json, sys, numpy as np
    from safetensors import safe_open
    model, features, targets, *shards = sys.argv[1:]
    with safe_open(model, "numpy") as file:
        meta = file.metadata()
        tensors = {key: file.get_tensor(key).astype("f8") for key in file.keys()}
    x, y = [], []
    for shard in shards:
        with h5py.File(shard) as file: x.append(file[features][:]); y.append(file[targets][:])
    x = np.concatenate([a.reshape(len(a), int(np.prod(a.shape[1:]))) for a in x]).astype("f8"); y = np.concatenate(y)
    change = json.loads(meta["normalization"])
    x = x * change["scale"]
    if change["means"]: x = (x - change["means"]) / change["scales"]

    layers = len(tensors) // 2
    for layer in range(layers):
        x = x @ tensors[f"layers.{layer}.weight"].T + tensors[f"layers.{layer}.bias"]
        if layer < layers - 1: x = {"relu": lambda a: np.maximum(a, 0), "tanh": np.tanh}[meta["activation"]](x)

    loss, classes = meta["loss"], json.loads(meta["classes"])
    report = dict(rows=len(x))
    if loss in ("squared", "absolute", "huber"):
        y = y.reshape(len(y), -1).astype("f8")
        error = x - y
        mse = np.mean(error ** 2)
        spread = np.sum((y - y.mean(axis=0)) ** 2, axis=0)
        report.update(
            mse=mse, rmse=mse ** 0.5, mae=np.mean(np.abs(error)), r2=np.mean(1 - np.sum(error ** 2, axis=0) / spread))
        huber = np.where(np.abs(error) < 1, error ** 2 / 2, np.abs(error) - 0.5)
        report["loss"] = {"squared": mse, "absolute": np.mean(np.abs(error)), "huber": np.mean(huber)}[loss]
    else:
        if y.ndim == 2 and y.shape[1] > 1: y = y.argmax(axis=1)
        y = y.reshape(-1).astype(int)
        rows = np.arange(len(y))
        if loss == "softmax":
            m = x.max(axis=1, keepdims=True)
            report["loss"] = np.mean(np.log(np.exp(x - m).sum(axis=1)) + m[:, 0] - x[rows, y])
            predicted, score = x.argmax(axis=1), x[:, 1] - x[:, 0]
        elif loss == "logistic":
            score = x[:, 0]; predicted = (score > 0).astype(int)
            report["loss"] = np.mean(np.logaddexp(0, score) - y * score)
        elif x.shape[1] == 1:
            score = x[:, 0]; predicted = (score > 0).astype(int)
            margin = np.maximum(0, 1 - (2 * y - 1) * score)
            report["loss"] = np.mean(margin if loss == "hinge" else margin ** 2)
        else:
            sign = np.where(np.arange(x.shape[1]) == y[:, None], 1, -1)
            margin = np.maximum(0, 1 - sign * x)
            report["loss"] = np.mean(np.sum(margin if loss == "hinge" else margin ** 2, axis=1))
            predicted = x.argmax(axis=1)
        count = len(classes)
        confusion = np.zeros((count, count), int)
        np.add.at(confusion, (y, predicted), 1)
        report["confusion"] = confusion.tolist()
        report["accuracy"] = np.mean(predicted == y)
        report["classes"] = []
        for index, name in enumerate(classes):
            hits, support, chosen = confusion[index, index], confusion[index].sum(), confusion[:, index].sum()
            precision = hits / chosen if chosen else 0.0
            recall = hits / support if support else 0.0
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            report["classes"].append({"class": name, "precision": precision, "recall": recall, "f1": f1, "rows": int(support)})
        if count == 2 and 0 < y.sum() < len(y):
            # Scores as the program has them: 32-bit floats, so that ties are ties.
            score = np.float32(score)
            positive, negative = score[y == 1][:, None], score[y == 0][None, :]
            report["auc"] = np.mean((positive > negative) + 0.5 * (positive == negative))
    print(json.dumps(report, default=float))
    """
}

extension EvaluateMetrics.Report {
  /// What differs between two reports: counts must be equal, numbers nearly so.
  func differences(from other: Self, within tolerance: Double = 1e-5) -> [String] {
    var found: [String] = []
    func compare(_ name: String, _ one: Double?, _ two: Double?) {
      switch (one, two) {
      case (nil, nil): break
      case (let one?, let two?) where abs(one - two) <= tolerance * max(1, abs(two)): break
      default: found.append("\(name): \(one.map { "\($0)" } ?? "none") and \(two.map { "\($0)" } ?? "none")")
      }
    }
    if rows != other.rows { found.append("rows: \(rows) and \(other.rows)") }
    if confusion != other.confusion { found.append("confusion: \(confusion ?? []) and \(other.confusion ?? [])") }
    compare("loss", loss, other.loss)
    compare("accuracy", accuracy, other.accuracy)
    compare("AUC", auc, other.auc)
    compare("MSE", mse, other.mse)
    compare("RMSE", rmse, other.rmse)
    compare("MAE", mae, other.mae)
    compare("R²", r2, other.r2)
    if classes?.map(\.class) != other.classes?.map(\.class) || classes?.map(\.rows) != other.classes?.map(\.rows) {
      found.append("classes: \(classes ?? []) and \(other.classes ?? [])")
    }
    for (one, two) in zip(classes ?? [], other.classes ?? []) {
      compare("precision of \(one.class)", one.precision, two.precision)
      compare("recall of \(one.class)", one.recall, two.recall)
      compare("F1 of \(one.class)", one.f1, two.f1)
    }
    return found
  }
}
