import Files
import Kernels
import Testing

@testable import Preparation

struct RowStoreTests {
  /// Rows come back as they were put aside, wherever they wait and wherever a range begins and ends.
  @Test(arguments: [0, 500, 1 << 20]) func rowsComeBack(mostBytes: Int) throws {
    let directory = try TemporaryDirectory()
    let store = RowStore(directory: directory.path, rank: 3, columns: 3, mostBytes: mostBytes)
    var row = 0
    for count in [5, 0, 1, 9, 30] {
      var features = FloatBuffer(count: 30 * 3)
      var targets = FloatBuffer(count: 30 * RowStore.targetWidth)
      for place in 0..<count {
        for column in 0..<3 { features[3 * place + column] = Float(10 * (row + place) + column) }
        for part in 0..<RowStore.targetWidth {
          targets[RowStore.targetWidth * place + part] = -Float(row + place) - 0.5 * Float(part)
        }
      }
      try store.append(count, features: features, targets: targets)
      row += count
    }
    #expect(store.rows == 45)
    #expect(try FileSystem.list(directory.path).isEmpty == (mostBytes == 1 << 20))
    func check(_ range: Range<Int>) throws {
      var features = FloatBuffer(count: 45 * 3)
      var targets = FloatBuffer(count: 45 * RowStore.targetWidth)
      try store.features(range, into: &features)
      try store.targets(range, into: &targets)
      for (place, row) in range.enumerated() {
        #expect((0..<3).map { features[3 * place + $0] } == (0..<3).map { Float(10 * row + $0) }, "\(range)")
        #expect(targets[2 * place] == -Float(row) && targets[2 * place + 1] == -Float(row) - 0.5, "\(range)")
      }
    }
    for first in 0...45 { for last in first...45 { try check(first..<last) } }
    store.forget(before: 20)
    for last in 20...45 { try check(20..<last) }
  }

  /// A split has one shard, two, or a multiple of four, of 32 MiB at most; or as many as are asked for.
  @Test func shardsAreCountedByTheirBytes() throws {
    func shards(_ rows: Int, asked: Int? = nil) throws -> [Int] {
      try ShardPlan.plan(
        [.train: rows, .test: rows / 4], fractions: SplitFractions(validation: 0, test: 0.2), asked: asked,
        rowBytes: 1 << 10
      ).map(\.shards)
    }
    let half = 1 << 14  // 16 MiB of such rows
    let expected = [
      (0, 1), (half, 1), (half + 1, 2), (2 * half, 2), (2 * half + 1, 4), (8 * half, 4), (8 * half + 1, 8),
    ]
    for (rows, count) in expected { #expect(try shards(rows)[0] == count) }
    #expect(try shards(8 * half) == [4, 2])
    #expect(try shards(8 * half, asked: 7) == [7, 2])
  }

  /// Each shard is written once, those of a split that a rank writes follow each other, and no rank has much more than its share.
  @Test(arguments: 1...9) func shardsAreDealtEvenly(ranks: Int) {
    let plans = [
      ShardPlan(split: .train, rows: 8_000, shards: 16), ShardPlan(split: .validation, rows: 0, shards: 1),
      ShardPlan(split: .test, rows: 2_003, shards: 5),
    ]
    let dealt = ShardJob.deal(plans, among: ranks)
    #expect(dealt.count == ranks)
    for plan in plans {
      let shards = dealt.map { $0.filter { $0.plan == plan }.map(\.shard) }
      #expect(shards.joined().sorted() == Array(0..<plan.shards))
      for own in shards where !own.isEmpty { #expect(own == Array(own[0]..<own[0] + own.count)) }
    }
    let most = dealt.map { $0.reduce(0) { $0 + $1.rows.count } }.max() ?? 0
    #expect(most <= 10_003 / ranks + 501)
  }
}
