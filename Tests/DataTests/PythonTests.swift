import Foundation
import Kernels
import Testing

@testable import Data

/// Against h5py and Python's safetensors, in both directions.
@Suite(.enabled(if: Python.path != nil, Python.reason)) struct PythonTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func read(
    _ path: String, features: String = "features", targets: String = "targets", _ use: TargetUse
  ) throws -> (features: [[Float]], targets: [Float]) {
    let dataset = try ShardedDataset(descriptions: [
      ShardDescription.describe(path: path, features: features, targets: targets, scanLabels: true)
    ])
    let reader = try RowReader(dataset: dataset, targetUse: use)
    return try reader.withRows(0..<dataset.rows) { features, view, targets, offset in
      (rowsOf(features, view), targets.values(in: offset..<offset + view.rows * use.floatsPerRow))
    }
  }

  /// What people have: images of bytes, one-hot targets, doubles, the other byte order, compression, chunks along columns.
  @Test func readsWhatH5pyWrites() throws {
    let path = scratch.file("foreign.h5")
    _ = try Python.run(
      """
      import sys, h5py, numpy as np
      with h5py.File(sys.argv[1], "w") as f:
          f["images"] = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
          f["one_hot"] = np.eye(3, dtype=np.int64)[[2, 0, 1, 1]]
          f["labels"] = np.array([2, 0, 1, 1], dtype=np.int64)
          f["column"] = np.array([[2], [0], [1], [1]], dtype=">i2")
          f["doubles"] = (np.arange(8) / 3).reshape(4, 2)
          f["big"] = np.arange(8, dtype=">f4").reshape(4, 2)
          f.create_dataset("packed", data=np.arange(4000, dtype=np.float32).reshape(4, 1000), chunks=(3, 70),
                           compression="gzip", shuffle=True, fletcher32=True)
          f["group/x"] = np.ones((4, 2), dtype=np.uint32)
          f["yes"] = np.array([True, False, True, True])
          f.create_dataset("lzf", data=np.ones((4, 2)), compression="lzf", chunks=(2, 2))
      """, [path])
    let (images, indices) = try read(path, features: "images", targets: "one_hot", .classIndex(classes: 3))
    let counted: [Float] = (0..<24).map { Float($0) }
    #expect(images.flatMap { $0 } == counted && images.count == 4 && indices == [2, 0, 1, 1])
    #expect(try read(path, features: "images", targets: "labels", .classIndex(classes: 3)).targets == [2, 0, 1, 1])
    #expect(try read(path, features: "images", targets: "column", .classIndex(classes: 3)).targets == [2, 0, 1, 1])
    let (doubles, values) = try read(path, features: "doubles", targets: "big", .values(outputs: 2))
    let thirds: [Float] = (0..<8).map { Float(Double($0) / 3) }
    #expect(doubles.flatMap { $0 } == thirds)
    #expect(values == (0..<8).map { Float($0) })
    let (packed, _) = try read(path, features: "packed", targets: "labels", .classIndex(classes: 3))
    let many: [Float] = (0..<4_000).map { Float($0) }
    #expect(packed.flatMap { $0 } == many && packed.count == 4)
    #expect(
      try read(path, features: "group/x", targets: "labels", .none).features == Array(repeating: [1, 1], count: 4))
    let lzf = dataError { _ = try read(path, features: "lzf", targets: "labels", .none) }
    #expect(lzf.kind == .invalid && lzf.message.lowercased().contains("lzf"), "\(lzf.message)")
    #expect(dataError { _ = try read(path, features: "images", targets: "yes", .binary(outputs: 1)) }.kind == .invalid)
  }

  @Test func h5pyReadsWhatTheWriterWrites() throws {
    let path = scratch.file("own.h5")
    let writer = try ShardWriter(
      path: path, columns: 2, targets: .labels, options: .init(compression: 4, chunkRows: 100))
    let count = 250
    try writer.append(
      FloatBuffer((0..<2 * count).map { Float($0) / 4 }), MatrixView(rows: count, columns: 2),
      targets: FloatBuffer((0..<count).map { Float($0 % 7) }))
    try writer.finish()
    let said = try Python.run(
      """
      import sys, h5py, numpy as np
      with h5py.File(sys.argv[1]) as f:
          x, y = f["features"], f["targets"]
          print(x.dtype, x.shape, x.chunks, x.compression, x.shuffle, x.fletcher32, y.dtype, y.shape, y.fletcher32)
          assert (x[:] == np.arange(500, dtype=np.float32).reshape(250, 2) / 4).all()
          assert (y[:] == np.arange(250) % 7).all()
      """, [path])
    #expect(said == "float32 (250, 2) (100, 2) gzip True True int32 (250,) True\n")
  }

  @Test func readsWhatPythonsSafetensorsWrites() throws {
    let path = scratch.file("model.safetensors")
    _ = try Python.run(
      """
      import sys, numpy as np
      from safetensors.numpy import save_file
      save_file({"layers.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
                 "layers.0.bias": np.array([0.5, -1], dtype=np.float64),
                 "half": np.array([1.5], dtype=np.float16)}, sys.argv[1], metadata={"kind": "softmax", "b": "ü"})
      """, [path])
    let file = try SafetensorsFile.open(path)
    var values: [String: [Float]] = [:]
    for tensor in file.tensors { values[tensor.name] = try file.values(of: tensor) }
    #expect(values == ["layers.0.weight": [0, 1, 2, 3, 4, 5], "layers.0.bias": [0.5, -1], "half": [1.5]])
    let (kind, other) = (file.metadata("kind"), file.metadata("b"))
    #expect(kind == "softmax" && other == "ü")
  }

  @Test func pythonsSafetensorsReadsWhatTheWriterWrites() throws {
    let path = scratch.file("own.safetensors")
    let layout = SafetensorsLayout(
      [.init("layers.0.weight", shape: [2, 3]), .init("layers.0.bias", shape: [2])],
      metadata: [(key: "kind", value: "mlp"), (key: "job", value: "{\"a\": \"ä\\n\"}")])
    let writer = try SafetensorsWriter(path, layout)
    let values = FloatBuffer([1, 2, 3, 4, 5, 6, 7, 8])
    try writer.write(values, 0..<6, toTensor: 0)
    try writer.write(values, 6..<8, toTensor: 1)
    _ = try SafetensorsWriter.seal(path, layout, [try writer.finish()])
    let said = try Python.run(
      """
      import sys
      from safetensors import safe_open
      with safe_open(sys.argv[1], framework="numpy") as f:
          for name in f.keys():
              tensor = f.get_tensor(name)
              print(name, tensor.dtype, tensor.tolist())
          print(sorted(f.metadata().items()))
      """, [path])
    #expect(
      said == """
        layers.0.bias float32 [7.0, 8.0]
        layers.0.weight float32 [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        [('job', '{"a": "ä\\\\n"}'), ('kind', 'mlp')]

        """)
  }
}
