import Data
import JSON
import Kernels
import Model
import TestSupport
import Testing

@testable import Training

/// Models with new columns and classes: what they had stays as it was, bit for bit.
@Suite struct ModelGrowthTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("growth") }

  /// Writes the parameters of `model`, drawn from a seed, as a file of tensors.
  private func write(_ model: Model, seed: UInt64) throws -> (path: String, parameters: [Float]) {
    var parameters = FloatBuffer(count: model.layout.count)
    model.initialize(&parameters, seed: seed)
    let path = folder.file("model-\(seed).safetensors")
    let layout = ModelFile.layout(of: model.layout)
    let writer = try SafetensorsWriter(path, layout)
    try writer.write(parameters, model.layout.runs(of: 0..<model.layout.count, in: model.layout))
    _ = try SafetensorsWriter.seal(path, layout, [try writer.finish()])
    return (path, parameters.values(in: 0..<parameters.count))
  }

  private func scores(_ model: Model, _ parameters: borrowing FloatBuffer, _ rows: [[Float]]) -> [[Float]] {
    var features = FloatBuffer(count: rows.count * model.inputs)
    features.copy(from: rows.flatMap { $0 })
    let workspace = Workspace(model, rows: rows.count)
    model.forward(
      parameters: parameters, features: features, view: MatrixView(rows: rows.count, columns: model.inputs),
      workspace: workspace)
    let values = workspace.outputs.values(in: 0..<rows.count * model.outputs)
    return (0..<rows.count).map { Array(values[$0 * model.outputs..<($0 + 1) * model.outputs]) }
  }

  @Test(arguments: [
    ([4, 3], [6, 5]), ([4, 7, 3], [4, 7, 5]), ([4, 7, 3], [6, 7, 3]), ([4, 7, 6, 3], [9, 7, 6, 8]),
  ])
  func oldScoresStay(old: [Int], new: [Int]) throws {
    let kind = old.count == 2 ? ModelKind.softmax : .mlp
    let small = try Model(kind: kind, sizes: old, activation: .tanh, loss: .softmax)
    let large = try Model(kind: kind, sizes: new, activation: .tanh, loss: .softmax)
    let (path, parameters) = try write(small, seed: 5)
    var grown = FloatBuffer(count: large.layout.count)
    let runs = large.layout.runs(of: 0..<large.layout.count, in: large.layout).within(small.layout, of: large.layout)
    try ModelFile.read(SafetensorsFile.open(path), small.layout, runs, into: &grown)
    #expect(runs.elementCount == small.layout.count)

    var random = SeededGenerator(seed: 9)
    let rows = (0..<6).map { _ in (0..<new[0]).map { _ in Float.random(in: -2...2, using: &random) } }
    var held = FloatBuffer(count: parameters.count)
    held.copy(from: parameters)
    let before = scores(small, held, rows.map { Array($0.prefix(old[0])) })
    let after = scores(large, grown, rows)
    let classes = old[old.count - 1]
    #expect(after.map { Array($0.prefix(classes)) } == before, "whatever is in the new columns")
    #expect(after.allSatisfy { $0.dropFirst(classes).allSatisfy { $0 == 0 } }, "new classes score zero")
  }

  /// Every rank of any layout finds its part of the same grown model.
  @Test func partsAgreeWithTheWhole() throws {
    let small = try Model(kind: .mlp, sizes: [5, 8, 3], activation: .relu, loss: .softmax)
    let large = try Model(kind: .mlp, sizes: [7, 8, 6], activation: .relu, loss: .softmax)
    let (path, _) = try write(small, seed: 6)
    let whole = large.layout
    var all = FloatBuffer(count: whole.count)
    try ModelFile.read(
      SafetensorsFile.open(path), small.layout,
      whole.runs(of: 0..<whole.count, in: whole).within(small.layout, of: whole),
      into: &all)
    for parts in 1...2 {
      for index in 0..<parts {
        let stage = try large.stage(layers: 0..<2, tensor: TensorPlace(index: index, count: parts))
        let layout = stage.layout
        var own = FloatBuffer(count: layout.count)
        let runs = layout.runs(of: 0..<layout.count, in: whole)
        try ModelFile.read(
          SafetensorsFile.open(path), small.layout, runs.within(small.layout, of: whole), into: &own)
        for run in runs {
          let first = whole.entries[run.tensor].range.lowerBound + run.start
          let (found, wanted) = (own.values(in: run.local), all.values(in: first..<first + run.local.count))
          #expect(found == wanted, "\(run)")
        }
      }
    }
  }

  // MARK: Preparations

  private func preparation(_ fitted: String, filter: String = "", classes: String = "\"a\"") throws -> JSONValue {
    let text =
      "{\"version\":1,\"recipe\":{\(filter)},\"target\":{\"name\":\"t\",\"classes\":[\(classes)]},\"fitted\":[\(fitted)]}"
    return try JSONNode(parsing: Array(text.utf8), dialect: .json).value
  }

  private static let plain = #"{"name":"x","transformations":[]}"#
  private static let scaled = #"{"name":"x","transformations":[{"kind":"standardize","mean":1,"scale":2}]}"#

  @Test func preparationsMerge() throws {
    let old = try preparation(Self.plain, filter: #""filter":"x < 5""#)
    let new = try preparation(Self.plain, filter: #""filter":"x >= 5""#, classes: "\"b\"")
    let merged = try Preparations.merged(old, new, classes: ["a", "b"], addsColumns: false)
    #expect(merged == (try preparation(Self.plain, filter: #""filter":[]"#, classes: "\"a\",\"b\"")))
    #expect(try Preparations.merged(old, new, classes: ["a", "b"], addsColumns: true) == nil)
    #expect(try Preparations.merged(old, old, classes: ["a"], addsColumns: false) == old)
    #expect(try Preparations.merged(nil, new, classes: ["a"], addsColumns: false) == nil)
  }

  @Test func otherPreparationsAreRefused() throws {
    let (plain, scaled) = (try preparation(Self.plain), try preparation(Self.scaled))
    for (old, new) in [(plain, scaled), (scaled, plain), (nil, scaled), (scaled, nil)] as [(JSONValue?, JSONValue?)] {
      #expect(throws: (any Error).self) {
        try Preparations.merged(old, new, classes: ["a"], addsColumns: false)
      }
    }
    #expect(throws: (any Error).self) {
      try Preparations.merged(
        scaled, try preparation(Self.scaled + #",{"name":"y","transformations":[]}"#), classes: ["a"],
        addsColumns: true)
    }
  }

  // MARK: The record of a sample

  @Test func recordsSurvive() throws {
    let record = SampleRecord(seed: 7, seen: 100, numbers: [0, 3, 99])
    let bytes = record.bytes
    #expect(try SampleRecord(parsing: bytes, path: "sample.json") == record)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"seed":-1,"seen":2,"numbers":[]}"#, #"{"seed":1,"seen":2,"numbers":[2]}"#,
    #"{"seed":1,"seen":2,"numbers":[1,0]}"#, #"{"seed":1,"seen":2,"numbers":[0.5]}"#,
    #"{"seed":1,"seen":9,"numbers":[1,1]}"#,
  ])
  func otherRecordsAreRefused(text: String) {
    #expect(throws: DataError.self) { try SampleRecord(parsing: Array(text.utf8), path: "sample.json") }
  }
}
