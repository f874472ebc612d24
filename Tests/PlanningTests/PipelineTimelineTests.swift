import Testing

@testable import Planning

@Suite struct PipelineTimelineTests {
  private func timeline(_ forward: [Double], _ backward: [Double], batches: Int, hop: Double = 0) -> PipelineTimeline {
    PipelineTimeline(
      stages: forward.count, microBatches: batches, forward: { stage, _ in forward[stage] },
      backward: { stage, _ in backward[stage] }, hop: { _, _, _ in hop })
  }

  /// Even stages take the time of the formula, (m + P - 1) times that of a micro-batch.
  @Test func evenStages() {
    for stages in 1...5 {
      for batches in 1...9 {
        let ends = timeline(
          [Double](repeating: 1, count: stages), [Double](repeating: 2, count: stages), batches: batches
        ).ends
        #expect(ends[0] == 3 * Double(batches + stages - 1), "\(stages) stages, \(batches) micro-batches")
        #expect(ends[stages - 1] == Double(stages - 1) + 3 * Double(batches))
      }
    }
  }

  /// A slow stage sets the pace: by hand, F0 0-1, F1 1-3, F0 1-2, B1 3-7, F1 7-9, B0 7-8, B1 9-13, B0 13-14.
  @Test func unevenStages() {
    #expect(timeline([1, 2], [1, 4], batches: 2).ends == [14, 13])
    // The first stage is the slow one: F 0-2, F 2-4, B 5-9 (there since 4), B 9-13.
    #expect(timeline([2, 1], [4, 1], batches: 2).ends == [12, 6])
  }

  /// F0 0-1, there at 11, F1 11-12, B1 12-13, there at 23, B0 23-24.
  @Test func messagesTakeTime() {
    #expect(timeline([1, 1], [1, 1], batches: 1, hop: 10).ends == [24, 13])
  }

  @Test func microBatchesOfUnevenRows() {
    let rows = [3.0, 1]
    let timeline = PipelineTimeline(
      stages: 1, microBatches: 2, forward: { rows[$1] * Double($0 + 1) }, backward: { rows[$1] * 10 },
      hop: { _, _, _ in 0 })
    #expect(timeline.ends == [44])
    #expect(self.timeline([1, 1], [1, 1], batches: 0).ends == [0, 0])
  }

  /// Nothing ends before the work of any stage is done, nor before one micro-batch has gone all the way.
  @Test func bounds() {
    for seed in 1...50 {
      let (forward, backward) = ((1...4).map { Double($0 * seed % 7 + 1) }, (1...4).map { Double($0 * seed % 5 + 1) })
      let batches = seed % 6 + 1
      let hop = Double(seed % 3)
      let ends = timeline(forward, backward, batches: batches, hop: hop).ends
      let works = zip(forward, backward).map { Double(batches) * ($0 + $1) }
      let way = forward.reduce(0, +) + backward.reduce(0, +) + 6 * hop
      #expect(ends[0] >= max(works[0], way) && zip(ends, works).allSatisfy { $0 >= $1 })
      #expect(ends[0] <= works.reduce(0, +) + 6 * hop * Double(batches))
    }
  }
}
