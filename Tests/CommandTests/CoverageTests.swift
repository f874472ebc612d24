import Foundation
import TestSupport
import Testing

/// How often each row took part in a training, counted by row number in the model that it left.
@Suite(.enabled(if: Python.isAvailable, "needs the tests' Python: Scripts/setup"))
struct CoverageTests {
  private static let rows = 69

  /// Row r is 1 in column r and 0 elsewhere, and its target is out of reach. Under the absolute loss the gradient of weight r is
  /// then -1 for each visit of row r, so weight r, from 0 and with the rate 1, grows by 1 / (rows of the batch) a visit, exactly.
  @Test(arguments: 1...5) func everyRowIsVisitedOnceAnEpoch(ranks: Int) throws {
    try TemporaryDirectory.with { directory in
      try Python.text(Self.writer, [directory.path])
      var runs: [String] = []
      let batches = ["1", "7", "\"full\""]
      for (index, batch) in batches.enumerated() {
        let run = directory.file("run-\(index)")
        runs.append(run)
        let job = try directory.write(
          text: """
            {
              data: { path: "\(directory.file("shards"))" },
              model: { kind: "linear" }, loss: "absolute",
              optimizer: { kind: "sgd", learning_rate: 1 },
              train: {
                epochs: 1, batch_size: \(batch), shuffle: \((ranks + index).isMultiple(of: 2)), log_every: 1,
                initial_model: "\(directory.file("zero.safetensors"))",
              },
              parallel: { reduction: "\(ranks == 4 ? "fast" : "ordered")" },
              output: "\(run)",
            }
            """, to: "job-\(index).json")
        let result = try MPILauncher.run(ranks: ranks, Binaries.apus, ["train", job])
        try #require(result.exitCode == 0, "\(result)")
        #expect(try TrainingLog(run).steps.last?.samples == Self.rows)
      }
      let weights: [[Float]] = try Python.value(Self.reader, runs)
      #expect(weights[0] == [Float](repeating: 1, count: Self.rows))
      // 69 rows are nine batches of 7 and one of 6.
      #expect(weights[1].filter { $0 == 1 / 7 }.count == 63, "\(weights[1])")
      #expect(weights[1].filter { $0 == 1 / 6 }.count == 6, "\(weights[1])")
      #expect(weights[2] == [Float](repeating: 1 / Float(Self.rows), count: Self.rows))
    }
  }

  private static let writer = """
    import os, sys
    import h5py, numpy
    from safetensors.numpy import save_file
    folder = sys.argv[1]
    shards = [10, 0, 1, 33, 5, 17, 3]
    rows = sum(shards)
    x = numpy.eye(rows, dtype=numpy.float32)
    os.mkdir(folder + "/shards")
    first = 0
    for index, count in enumerate(shards):
        with h5py.File(f"{folder}/shards/part-{index}.h5", "w") as file:
            file["features"] = x[first:first + count]
            file["targets"] = numpy.full(count, 1e6, dtype=numpy.float32)
        first += count
    save_file({"layers.0.weight": numpy.zeros((1, rows), dtype=numpy.float32),
               "layers.0.bias": numpy.zeros(1, dtype=numpy.float32)}, folder + "/zero.safetensors")
    """

  private static let reader = """
    import json, sys
    from safetensors.numpy import load_file
    print(json.dumps([load_file(run + "/model.safetensors")["layers.0.weight"][0].tolist() for run in sys.argv[1:]]))
    """
}
