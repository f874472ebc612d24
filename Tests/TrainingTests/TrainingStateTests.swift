import JSON
import Optimization
import Testing

@testable import Training

@Suite struct TrainingStateTests {
  private func read(_ text: String) throws -> TrainingState {
    try TrainingState(parsing: Array(text.utf8), path: "state.json")
  }

  /// Numbers without an end in the decimal system keep every bit.
  @Test func everythingSurvives() throws {
    var state = TrainingState(
      TrainingCourse(rows: 1438, virtualRanks: 12, batchRows: 32, seed: 7, shuffle: false))
    #expect(try read(state.json.serialized(pretty: true)) == state)
    state.step = 123_456_789
    state.samples = 1 << 52
    state.plateau.best = 0.1 + 0.2
    state.plateau.badCount = 3
    state.plateau.multiplier = 1.0 / 3
    state.earlyStopping.bestLoss = .leastNonzeroMagnitude
    state.earlyStopping.bestStep = 100
    state.earlyStopping.withoutImprovement = 2
    #expect(try read(state.json.serialized(pretty: true)) == state)
    #expect(try read(state.json.serialized(pretty: false)) == state)
  }

  @Test(arguments: ["", "{}", "[]", #"{"step":1}"#]) func otherFilesAreRefused(text: String) {
    #expect(throws: (any Error).self) { try read(text) }
  }

  @Test(arguments: [
    "step", "samples", "virtual_ranks", "batch_rows", "seed", "rows", "bad_count", "best_step", "without_improvement",
  ])
  func countsAreChecked(key: String) throws {
    let sound = TrainingState(
      TrainingCourse(rows: 5, virtualRanks: 3, batchRows: 2, seed: 7, shuffle: true)
    ).json.serialized(pretty: false)
    for wrong in ["-1", "0.5", "null", "\"1\"", "1e99"] {
      let pattern = try Regex("\"\(key)\":[0-9]+")
      let text = sound.replacing(pattern, with: "\"\(key)\":\(wrong)")
      #expect(text != sound)
      #expect(throws: (any Error).self, "\(text)") { try read(text) }
    }
  }

  @Test func earlyStoppingCountsWhatIsNoBetter() {
    var stopping = EarlyStopping()
    let losses = [3, 2, 2, 2.5, 1, .nan, .infinity, 0.5]
    let best = losses.enumerated().map { stopping.observe(loss: $1, step: 10 * $0) }
    #expect(best == [true, true, false, false, true, false, false, true])
    #expect(stopping == EarlyStopping(bestLoss: 0.5, bestStep: 70, withoutImprovement: 0))
    _ = stopping.observe(loss: 0.5, step: 80)
    #expect(stopping.bestStep == 70 && stopping.withoutImprovement == 1)
  }
}
