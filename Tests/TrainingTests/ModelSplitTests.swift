import Failures
import Model
import Parallel
import Testing

@testable import Training

/// Which grids fit which ranks and models, and what is said of those that do not (B20 of the table of faults).
@Suite struct ModelSplitTests {
  private func failure(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> String {
    do {
      try body()
    } catch let failure as Failure {
      #expect(failure.code == .usage, sourceLocation: sourceLocation)
      return failure.description
    } catch {
      Issue.record("threw \(error)", sourceLocation: sourceLocation)
    }
    return "nothing"
  }

  private func split(_ pipeline: Int, _ tensor: Int, _ stages: [Int] = []) -> ModelSplit {
    ModelSplit(pipeline: pipeline, tensor: tensor, stages: stages)
  }

  private func model(_ sizes: [Int]) throws -> Model {
    try Model(kind: .mlp, sizes: sizes, activation: .tanh, loss: .softmax)
  }

  @Test func theRestOfTheRanksIsData() throws {
    #expect(try split(2, 3).shape(ranks: 12) == GridShape(data: 2, pipeline: 2, tensor: 3))
    #expect(try split(1, 1).shape(ranks: 5) == GridShape(data: 5))
    #expect(try split(4, 1).shape(ranks: 4) == GridShape(data: 1, pipeline: 4))
  }

  @Test(arguments: [
    (
      3, 1, 4,
      "parallel.pipeline is 3, which needs a multiple of 3 ranks, and there are 4\n  hint: on 4 ranks it can be 1, 2 or 4"
    ),
    (
      1, 2, 1,
      "parallel.tensor is 2, which needs a multiple of 2 ranks, and there is 1\n  hint: on 1 rank it can be 1"
    ),
    (
      2, 3, 4,
      "parallel.pipeline times tensor is 6, which needs a multiple of 6 ranks, and there are 4\n  hint: on 4 ranks it can be 1, 2 or 4"
    ),
    (
      Int.max, 3, 2,
      "parallel.pipeline times tensor is \(Int.max) times 3, which needs more ranks than there can be, and there are 2\n  hint: on 2 ranks it can be 1 or 2"
    ),
  ])
  func ranksThatAreNoMultiple(pipeline: Int, tensor: Int, ranks: Int, message: String) {
    #expect(failure { _ = try split(pipeline, tensor).shape(ranks: ranks) } == message)
  }

  @Test func stagesOfTheModel() throws {
    let model = try model([8, 16, 16, 4])
    #expect(try split(1, 1).stages(of: model) == [0..<3])
    #expect(try split(3, 1).stages(of: model) == [0..<1, 1..<2, 2..<3])
    #expect(try split(2, 1, [2, 1]).stages(of: model) == [0..<2, 2..<3])
    #expect(try split(2, 2, [1, 2]).stages(of: model) == [0..<1, 1..<3])
  }

  @Test(arguments: [
    (
      5, [], 3,
      "parallel.pipeline is 5, and the model has 3 layers: each stage needs one of its own\n  hint: for this model it can be 1 to 3"
    ),
    (
      2, [], 1,
      "parallel.pipeline is 2, and the model has 1 layer: each stage needs one of its own\n  hint: for this model it can be 1"
    ),
    (
      2, [2, 2], 3,
      "parallel.stages [2, 2] have 4 layers together, and the model has 3 layers\n  hint: 2 stages of about equal work are [1, 2]"
    ),
    (
      2, [Int.max, Int.max], 3,
      "parallel.stages [\(Int.max), \(Int.max)] have \(Int.max) layers together, and the model has 3 layers\n  hint: 2 stages of about equal work are [1, 2]"
    ),
    (
      2, [1, 1, 1], 3,
      "parallel.stages [1, 1, 1] are 3, and parallel.pipeline is 2\n  hint: 2 stages of about equal work are [1, 2]; without parallel.pipeline the list counts"
    ),
  ])
  func stagesThatDoNotFit(pipeline: Int, stages: [Int], depth: Int, message: String) throws {
    let model =
      depth == 1 ? try Model(kind: .softmax, sizes: [8, 4], loss: .softmax) : try model([8, 12, 16, 4])
    #expect(failure { _ = try split(pipeline, 1, stages).stages(of: model) } == message)
  }

  @Test func layersThatAreTooSmallToBeCut() throws {
    let text = failure { _ = try split(1, 5).stages(of: try model([8, 3, 4])) }
    #expect(text.hasPrefix("parallel.tensor is 5, and layer "), "\(text)")
    #expect(text.hasSuffix("\n  hint: for this model it can be 1 to 4"), "\(text)")
  }
}
