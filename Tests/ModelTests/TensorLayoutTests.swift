import Kernels
import Model
import Testing

/// Which rank has what.
@Suite struct TensorLayoutTests {
  private func splits(
    _ sizes: [Int], _ ranks: Int, loss: Loss = .softmax, layers: Range<Int>? = nil
  ) throws -> [LayerSplit] {
    let model = try Model(kind: sizes.count > 2 ? .mlp : .softmax, sizes: sizes, loss: loss)
    let stage = try model.stage(layers: layers ?? 0..<model.depth, tensor: TensorPlace(index: 0, count: ranks))
    return stage.layers.map(\.split)
  }

  @Test func layersAreCutInPairs() throws {
    #expect(try splits([64, 64, 64, 64, 10], 1) == [.whole, .whole, .whole, .whole])
    for ranks in 2...4 {
      #expect(try splits([64, 64, 64, 64, 10], ranks) == [.outputs, .inputs, .outputs, .inputs])
      // A last odd layer: few logits are summed, those of many classes stay where they are.
      #expect(try splits([64, 64, 64, 10], ranks) == [.outputs, .inputs, .slicedInputs])
      #expect(try splits([64, 64, 64, 1000], ranks) == [.outputs, .inputs, .outputs])
      #expect(try splits([64, 1000], ranks) == [.outputs])
      // The logits of the second of a pair would cost more than anything else.
      #expect(try splits([64, 64, 100_000], ranks) == [.slicedInputs, .outputs])
      // A stage in the middle hands all of its outputs on.
      #expect(try splits([64, 64, 64, 64, 10], ranks, layers: 1..<2) == [.slicedInputs])
      #expect(try splits([64, 64, 64, 64, 10], ranks, layers: 1..<3) == [.outputs, .inputs])
    }
    // A layer too small to be cut one way is cut the other way.
    #expect(try splits([64, 2, 10], 3) == [.slicedInputs, .outputs])
    #expect(try splits([2, 64, 2], 3) == [.outputs, .inputs])
  }

  @Test func layersTooSmallToCutAreRefused() throws {
    let error = #expect(throws: ModelError.self) { try splits([64, 2, 2, 10], 3) }
    #expect(error?.description == "layer 1 of 2 inputs and 2 outputs cannot be cut for 3 tensor ranks")
    let alone = #expect(throws: ModelError.self) { try splits([2, 64, 64, 10], 3, layers: 0..<1) }
    #expect(alone?.description == "layer 0 of 2 inputs and 64 outputs cannot be cut for 3 tensor ranks")
    #expect(try splits([2, 64, 64, 10], 3, layers: 0..<2) == [.outputs, .inputs])
  }

  @Test func segmentsSayWhereAPartStands() throws {
    let model = try Model(kind: .mlp, sizes: [4, 5, 3], loss: .softmax)
    let stage = try model.stage(layers: 0..<2, tensor: TensorPlace(index: 1, count: 2))
    let entries = stage.layout.entries
    #expect(entries.map(\.name) == model.layout.entries.map(\.name))
    #expect(entries.map(\.shape) == [[5, 4], [5], [3, 5], [3]])
    #expect(entries.map(\.rows) == [2..<5, 2..<5, 0..<3, 0..<3])
    #expect(entries.map(\.columns) == [0..<4, 0..<1, 2..<5, 0..<1])
    #expect(entries.map(\.range) == [0..<12, 12..<15, 15..<24, 24..<27])
    #expect(entries.map(\.isReplicated) == [false, false, false, true])
    #expect(entries[0].segments(of: 2..<7).map(\.offset) == [10])
    #expect(entries[0].segments(of: 2..<7).map(\.local) == [2..<7])
    #expect(entries[1].segments(of: 13..<15).map(\.offset) == [3])
    #expect(entries[2].segments(of: 15..<24).map(\.offset) == [2, 7, 12])
    #expect(entries[2].segments(of: 17..<22).map(\.offset) == [4, 7, 12])
    #expect(entries[2].segments(of: 17..<22).map(\.local) == [17..<18, 18..<21, 21..<22])
    #expect(entries[2].segments(of: 17..<17).isEmpty && entries[0].segments(of: 2..<2).isEmpty)
  }

  /// Every element is on exactly one rank, or on all, and has the number that the whole model has there.
  @Test(arguments: [[20, 33, 18, 5], [7, 40], [5, 9, 9, 9, 9, 2], [6, 3, 50]], [2, 3, 4])
  func firstParametersAreThoseOfTheWholeModel(sizes: [Int], ranks: Int) throws {
    let model = try Model(kind: sizes.count > 2 ? .mlp : .softmax, sizes: sizes, loss: .softmax)
    // In a place of its own in a larger buffer.
    var whole = FloatBuffer(count: model.layout.count)
    model.initialize(&whole, seed: 11)
    guard let first = try? model.stage(layers: 0..<model.depth, tensor: TensorPlace(index: 0, count: ranks)) else {
      return
    }
    var holders = [Int](repeating: 0, count: model.layout.count)
    var together = 0
    for rank in 0..<ranks {
      let stage = try model.stage(layers: 0..<model.depth, tensor: TensorPlace(index: rank, count: ranks))
      #expect(stage.layers.map(\.split) == first.layers.map(\.split))
      together += stage.layout.count
      var own = FloatBuffer(count: stage.layout.count + 5)
      stage.initialize(&own, at: 5, seed: 11)
      for entry in stage.layout.entries {
        let start = model.layout[entry.name]?.range.lowerBound ?? 0
        #expect(entry.range.count == entry.rows.count * entry.columns.count)
        for segment in entry.segments(of: entry.range) {
          let there = start + segment.offset..<start + segment.offset + segment.local.count
          let here = segment.local.lowerBound + 5..<segment.local.upperBound + 5
          #expect(own.values(in: here) == whole.values(in: there))
          for index in there { holders[index] += entry.isReplicated ? 1 : ranks }
        }
      }
    }
    #expect(holders.allSatisfy { $0 == ranks })
    // Biases aside, nothing is held twice.
    let biases = model.sizes.dropFirst().reduce(0, +)
    #expect(together <= model.layout.count + (ranks - 1) * biases)
  }

  @Test func plansKnowTheSizeOfAWorkspace() throws {
    let model = try Model(kind: .mlp, sizes: [10, 9, 8, 6], activation: .gelu, loss: .squared)
    let stage = try model.stage(layers: 1..<3, tensor: TensorPlace(index: 0, count: 2))
    #expect(stage.layers.map(\.split) == [.outputs, .inputs])
    // Inputs' gradient, then the part of the hidden layer with slopes, then all scores with the terms of the loss.
    #expect(Workspace.floats(stage, rows: 2) == 2 * (9 + 3 * 4 + 3 * 6))
    let lone = try model.stage(layers: 2..<3, tensor: TensorPlace(index: 0, count: 2))
    #expect(lone.layers.map(\.split) == [.outputs])
    // Inputs' gradient, then the part of the scores with terms, and their targets.
    #expect(Workspace.floats(lone, rows: 2) == 2 * (8 + 3 * 3 + 3))
    #expect(Workspace.floats(scoresOf: model, rows: 2) == 2 * 3 * 6)
  }
}
