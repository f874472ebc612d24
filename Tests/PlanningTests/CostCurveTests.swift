import Planning
import Testing

@Suite struct CostCurveTests {
  private let curve = CostCurve([
    CostCurve.Point(size: 30, seconds: 5), CostCurve.Point(size: 10, seconds: 1), CostCurve.Point(size: 20, seconds: 3),
  ])

  @Test(arguments: [(10.0, 1.0), (15, 2), (20, 3), (30, 5), (5, 0.5), (0, 0), (40, 7)])
  func betweenAndBeyondThePoints(size: Double, seconds: Double) {
    #expect(curve.seconds(size) == seconds)
  }

  @Test func latencyAndRate() {
    let link = CostCurve(latency: 2, rate: 4)
    #expect(link.seconds(0.0) == 2 && link.seconds(4.0) == 3 && link.seconds(40.0) == 12)
  }

  /// Measured times may fall where they should rise: beyond the last point they still grow.
  @Test func fallingEnd() {
    let curve = CostCurve([CostCurve.Point(size: 1, seconds: 4), CostCurve.Point(size: 2, seconds: 3)])
    #expect(curve.seconds(4.0) == 6)
  }

  @Test func onePointAndEqualSizes() {
    #expect(CostCurve([CostCurve.Point(size: 2, seconds: 3)]).seconds(4.0) == 6)
    let points = [CostCurve.Point(size: 2, seconds: 3), CostCurve.Point(size: 2, seconds: 1)]
    #expect(CostCurve(points).points == [CostCurve.Point(size: 2, seconds: 3)])
  }
}
