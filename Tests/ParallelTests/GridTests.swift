import Data
import Testing

@testable import Parallel

@Suite struct GridTests {
  @Test func tensorRanksAreNextToEachOther() {
    let shape = GridShape(data: 2, pipeline: 3, tensor: 2)
    #expect(shape.ranks == 12 && shape.modelRanks == 6)
    for index in 0..<12 {
      let place = shape.place(index)
      #expect((place.data.index * 3 + place.pipeline.index) * 2 + place.tensor.index == index)
      #expect(place.index == index && place.modelIndex == index % 6 && place.shape == shape)
    }
  }

  @Test func theDataDegreeIsWhatRemains() {
    #expect(GridShape(ranks: 12, pipeline: 3, tensor: 2) == GridShape(data: 2, pipeline: 3, tensor: 2))
    #expect(GridShape(ranks: 12, pipeline: 5, tensor: 1) == nil)
    #expect(GridShape(ranks: 4, pipeline: 4, tensor: 2) == nil)
    #expect(GridShape(ranks: 4, pipeline: 0, tensor: 1) == nil)
    #expect(GridShape(ranks: 4, pipeline: Int.max, tensor: Int.max) == nil)
  }

  /// Each copy of the model reads features once and targets once.
  @Test func everyPartIsReadOnce() {
    for (pipeline, tensor) in [(1, 1), (1, 3), (2, 1), (3, 2)] {
      let shape = GridShape(data: 2, pipeline: pipeline, tensor: tensor)
      let reads = (0..<shape.ranks).map { shape.place($0).reads }
      for part in [RowParts.features, .targets] { #expect(reads.count { $0.contains(part) } == 2) }
      #expect(shape.place(0).reads.contains(.features))
    }
  }

  /// Ranks that were dealt to the nodes in turn.
  @Test func ranksOfANodeAreNextToEachOther() {
    #expect(ProcessGrid.indices(nodes: [0, 1, 0, 1, 4]) == [0, 2, 1, 3, 4])
    #expect(ProcessGrid.indices(nodes: [0, 0, 0]) == [0, 1, 2])
  }
}
