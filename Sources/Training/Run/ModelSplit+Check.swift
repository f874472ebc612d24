import Failures
public import Model
import Parallel

/// What fits the ranks and the model; what does not is told with what would.
extension ModelSplit {
  /// The grid that `ranks` ranks make.
  /// - Throws: `Failure` (64) where they are no multiple of those that share a model.
  func shape(ranks: Int) throws -> GridShape {
    if let shape = GridShape(ranks: ranks, pipeline: pipeline, tensor: tensor) { return shape }
    let (needed, isTooLarge) = pipeline.multipliedReportingOverflow(by: tensor)
    let sides = tensor == 1 ? "parallel.pipeline" : pipeline == 1 ? "parallel.tensor" : "parallel.pipeline times tensor"
    let multiple = isTooLarge ? "more ranks than there can be" : "a multiple of \(needed) ranks"
    let divisors = (1...ranks).filter { ranks.isMultiple(of: $0) }
    throw Failure(
      .usage,
      "\(sides) is \(isTooLarge ? "\(pipeline) times \(tensor)" : "\(needed)"), which needs \(multiple), and there "
        + (ranks == 1 ? "is 1" : "are \(ranks)"),
      hint: "on \(ranks) \(ranks == 1 ? "rank" : "ranks") it can be \(Self.listed(divisors))")
  }

  /// The layers of each stage.
  /// - Throws: `Failure` (64) where they do not fit the layers of `model`, or a layer the ranks that share it.
  public func stages(of model: Model) throws -> [Range<Int>] {
    try checkStages(of: model)
    let ranges =
      stages.isEmpty
      ? PipelineStages.balanced(sizes: model.sizes, stages: pipeline) : PipelineStages.runs(ofLengths: stages)
    do {
      try Self.checkCuts(model, ranges, tensor: tensor)
    } catch {
      let legal = (1..<tensor).filter { (try? Self.checkCuts(model, ranges, tensor: $0)) != nil }
      throw Failure(
        .usage, "parallel.tensor is \(tensor), and \(error)", hint: "for this model it can be \(Self.listed(legal))")
    }
    return ranges
  }

  private func checkStages(of model: Model) throws {
    let depth = model.depth
    let layers = "the model has \(depth) \(depth == 1 ? "layer" : "layers")"
    guard pipeline <= depth else {
      throw Failure(
        .usage, "parallel.pipeline is \(pipeline), and \(layers): each stage needs one of its own",
        hint: "for this model it can be \(Self.listed(Array(1...depth)))")
    }
    guard !stages.isEmpty else { return }
    let balanced = PipelineStages.balanced(sizes: model.sizes, stages: pipeline).map(\.count)
    guard stages.count == pipeline else {
      throw Failure(
        .usage, "parallel.stages \(stages) are \(stages.count), and parallel.pipeline is \(pipeline)",
        hint: "\(pipeline) stages of about equal work are \(balanced); without parallel.pipeline the list counts")
    }
    let sum = stages.reduce(0) { $0.addingReportingOverflow($1).overflow ? Int.max : $0 + $1 }
    guard sum == depth else {
      throw Failure(
        .usage, "parallel.stages \(stages) have \(sum) layers together, and \(layers)",
        hint: "\(pipeline) stages of about equal work are \(balanced)")
    }
  }

  private static func checkCuts(_ model: Model, _ ranges: [Range<Int>], tensor: Int) throws(ModelError) {
    for range in ranges { _ = try model.stage(layers: range, tensor: TensorPlace(index: 0, count: tensor)) }
  }

  /// `1, 2 or 4`; `1 to 5`.
  private static func listed(_ numbers: [Int]) -> String {
    guard let first = numbers.first, let last = numbers.last, numbers.count > 1 else {
      return numbers.first.map { "\($0)" } ?? "nothing else"
    }
    if numbers.count > 2, last - first == numbers.count - 1 { return "\(first) to \(last)" }
    return numbers.dropLast().map(String.init).joined(separator: ", ") + " or \(last)"
  }
}
