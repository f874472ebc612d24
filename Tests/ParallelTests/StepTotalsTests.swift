import Kernels
import Parallel
import Testing

@Suite struct StepTotalsTests {
  /// The totals after they were stored, added as floats, and read.
  private func sum(_ totals: [StepTotals]) -> StepTotals {
    var sum = FloatBuffer(count: StepTotals.width + 3)
    for one in totals {
      var buffer = FloatBuffer(count: StepTotals.width + 3)
      one.store(into: &buffer, at: 3)
      for index in 0..<sum.count { sum[index] += buffer[index] }
    }
    return StepTotals(from: sum, at: 3)
  }

  @Test(arguments: [0, 1, 4095, 4096, 16_777_215, 16_777_217, 123_456_789, 1 << 34, 1 << 34 + 1])
  func countsAreExact(rows: Int) {
    #expect(sum([StepTotals(rows: rows)]).rows == rows)
    // Of one rank each, some of them without a row.
    let parts = (0..<40).map { rows * ($0 + 1) / 40 - rows * $0 / 40 }
    #expect(sum(parts.map { StepTotals(rows: $0) } + [StepTotals()]).rows == rows)
  }

  @Test func countsOfManyRanksAreExact() {
    #expect(sum([StepTotals](repeating: StepTotals(rows: 4095), count: 1000)).rows == 4_095_000)
  }

  @Test(arguments: [0.0, 1.0, 0.1, 1e-30, 123_456.789_012_345, 3.3e30])
  func lossesKeepMoreThanAFloat(loss: Double) {
    #expect(abs(sum([StepTotals(lossSum: loss)]).lossSum - loss) <= loss * 1e-14)
    let total = sum([StepTotals](repeating: StepTotals(lossSum: loss), count: 40)).lossSum
    #expect(abs(total - 40 * loss) <= 40 * loss * 1e-6)
  }

  @Test func lossIsTheMeanOverTheRows() {
    #expect(sum([StepTotals(lossSum: 3, rows: 3), StepTotals(lossSum: 7, rows: 1)]).loss == 2.5)
  }

  @Test(arguments: [Double.infinity, -.infinity, .nan, 1e300]) func aLossThatIsNoNumberStaysNone(loss: Double) {
    #expect(!sum([StepTotals(lossSum: 1, rows: 1), StepTotals(lossSum: loss, rows: 1)]).loss.isFinite)
  }

  @Test func flagsOfOneAreFlagsOfAll() {
    for stop in [true, false] {
      for save in [true, false] {
        let totals = sum([StepTotals(rows: 1), StepTotals(rows: 2, stop: stop, save: save), StepTotals(stop: stop)])
        #expect(totals.stop == stop && totals.save == save && totals.rows == 3)
      }
    }
    #expect(sum([StepTotals](repeating: StepTotals(stop: true), count: 100)).stop)
    #expect(sum([StepTotals(rows: 1), StepTotals(writing: true), StepTotals()]).writing)
    #expect(!sum([StepTotals(rows: 1, stop: true, save: true), StepTotals(failed: true)]).writing)
    #expect(sum([StepTotals(rows: 1), StepTotals(failed: true), StepTotals()]).failed)
    #expect(!sum([StepTotals(rows: 1, stop: true, save: true), StepTotals()]).failed)
  }
}
