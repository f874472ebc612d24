import Online
import Testing

@testable import Streaming

/// What ranks tell each other while they go on comes back as it was, and is weighed by the rows of late.
@Suite struct CombinationTests {
  @Test func posts() {
    var report = RankReport()
    report.rows = 7
    report.errors = [1, 0]
    for evidence in [[], [[1.5, -2]], [[1], [2, 3]]] as [[[Double]]] {
      let post = Post(weight: 0.25, evidence: evidence, report: report)
      #expect(Post(encoded: post.encoded) == post)
    }
    report.keepRowsAlone()
    #expect(report.rows == 7 && report.errors.isEmpty)
  }

  @Test func findings() {
    var findings = DriftFindings()
    #expect(DriftFindings(encoded: findings.encoded) == findings && findings.isEmpty)
    findings.verdict = .old
    findings.events = [
      DriftResponse.Event(signal: .drift, row: 12, columns: [3, 1]),
      DriftResponse.Event(signal: .warning, row: 9, columns: []),
    ]
    #expect(DriftFindings(encoded: findings.encoded) == findings && !findings.isEmpty)
  }

  /// Ranks that are as fast as each other have equal shares, whatever order they are heard in; one that has fallen silent loses its own.
  @Test func shares() {
    var shares = RowShares(ranks: 2, rows: 32)
    #expect(shares.share(of: 0) == 0.5)
    for _ in 0..<10 {
      for rank in [0, 0, 0, 1, 1, 1] { shares.note(rank, rows: 32) }
    }
    #expect(abs(shares.share(of: 0) - 0.5) < 0.12)
    #expect(abs(shares.share(of: 0) + shares.share(of: 1) - 1) < 1e-12)
    for _ in 0..<100 { shares.note(0, rows: 32) }
    #expect(shares.share(of: 0) > 0.98)
    // One row among many weighs little.
    shares.note(1, rows: 1)
    #expect(shares.share(of: 1) < 0.02)
  }
}
