import Parallel

/// When the stages of a pipeline do what they have to do in a step: each piece of work as soon as the stage is free and what it needs
/// has arrived.
///
/// A pure function of the schedule and of the times, so that stages of uneven work, and micro-batches of uneven rows, cost what they do.
struct PipelineTimeline: Equatable {
  /// When each stage has done its last work, in seconds from the start of the step.
  let ends: [Double]

  /// - Parameters:
  ///   - forward: seconds of the forward pass of a micro-batch on a stage, its loss included.
  ///   - backward: seconds of its backward pass.
  ///   - hop: seconds from the end of a pass on a stage until its result is at the stage behind (of a forward pass) or before it.
  init(
    stages: Int, microBatches: Int, forward: (_ stage: Int, _ batch: Int) -> Double,
    backward: (_ stage: Int, _ batch: Int) -> Double, hop: (_ from: Int, _ to: Int, _ batch: Int) -> Double
  ) {
    let works = (0..<stages).map { OneForwardOneBackward(stage: $0, stages: stages, microBatches: microBatches) }
    let never = [Double?](repeating: nil, count: microBatches)
    // When the inputs, and the gradients of the outputs, of each micro-batch are there.
    var inputs = [[Double?]](repeating: never, count: stages)
    var gradients = [[Double?]](repeating: never, count: stages)
    if stages > 0 { inputs[0] = [Double?](repeating: 0, count: microBatches) }
    var next = [Int](repeating: 0, count: stages)
    var ends = [Double](repeating: 0, count: stages)
    var moved = true
    while moved {
      moved = false
      for stage in 0..<stages {
        while next[stage] < works[stage].count {
          let work = works[stage][next[stage]]
          guard let ready = work.ready(inputs[stage], gradients[stage]) else { break }
          let start = max(ends[stage], ready)
          switch work {
          case .forward(let batch):
            ends[stage] = start + forward(stage, batch)
            // The last stage goes back at once.
            if stage == stages - 1 {
              gradients[stage][batch] = ends[stage]
            } else {
              inputs[stage + 1][batch] = ends[stage] + hop(stage, stage + 1, batch)
            }
          case .backward(let batch):
            ends[stage] = start + backward(stage, batch)
            if stage > 0 { gradients[stage - 1][batch] = ends[stage] + hop(stage, stage - 1, batch) }
          }
          next[stage] += 1
          moved = true
        }
      }
    }
    precondition(next.allSatisfy { $0 == 2 * microBatches }, "a pipeline of \(stages) stages stands still")
    self.ends = ends
  }
}

extension OneForwardOneBackward.Work {
  /// When what this work needs has arrived; nil where that is not known yet.
  fileprivate func ready(_ inputs: [Double?], _ gradients: [Double?]) -> Double? {
    switch self {
    case .forward(let batch): inputs[batch]
    case .backward(let batch): gradients[batch]
    }
  }
}
