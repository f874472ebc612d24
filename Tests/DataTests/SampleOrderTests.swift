import Testing

@testable import Data

private func order(
  _ rows: [Int], blockRows: Int = 3, columns: Int = 1, virtualRanks: Int, seed: UInt64 = 1, shuffle: Bool = true,
  windowBytes: Int = 32
) -> SampleOrder {
  SampleOrder(
    segments: rows.map { SampleOrder.Segment(rows: $0, blockRows: blockRows) }, columns: columns,
    virtualRanks: virtualRanks, seed: seed, shuffle: shuffle, windowBytes: windowBytes)
}

@Suite struct SampleOrderTests {
  @Test func rangesAreCutAsTheDesignSays() {
    for rows in 0...40 {
      for virtualRanks in 1...9 {
        let order = order([rows], virtualRanks: virtualRanks)
        for v in 0..<virtualRanks {
          #expect(order.range(ofVirtualRank: v) == rows * v / virtualRanks..<rows * (v + 1) / virtualRanks)
        }
      }
    }
  }

  @Test func rangesOfHugeDataSetsDoNotOverflow() {
    let rows = Int.max / 2
    let order = SampleOrder(
      segments: [SampleOrder.Segment(rows: rows, blockRows: Int.max)], columns: 1, virtualRanks: 1_000, seed: 1,
      shuffle: false)
    #expect(order.range(ofVirtualRank: 0).lowerBound == 0)
    #expect(order.range(ofVirtualRank: 999).upperBound == rows)
    #expect(order.place(ofPosition: rows - 1).slot == rows / 1_000)
    #expect(order.share(ofVirtualRank: 999, positions: 0..<rows).count == order.range(ofVirtualRank: 999).count)
  }

  /// The definition, position by position, against the arithmetic.
  @Test func positionsTakeTheRangesInTurn() {
    for rows in 0...25 {
      for virtualRanks in 1...9 {
        let order = order([rows], virtualRanks: virtualRanks)
        var next = [Int](repeating: 0, count: virtualRanks)
        for position in 0..<rows {
          let place = order.place(ofPosition: position)
          if position < rows / virtualRanks * virtualRanks {
            #expect(place.virtualRank == position % virtualRanks)
            #expect(place.slot == position / virtualRanks)
          } else {
            // One of those that have a row left.
            #expect(order.range(ofVirtualRank: place.virtualRank).count == rows / virtualRanks + 1)
          }
          #expect(place.slot == next[place.virtualRank], "each range in its own order")
          next[place.virtualRank] += 1
          for v in 0..<virtualRanks {
            let share = order.share(ofVirtualRank: v, positions: position..<position + 1)
            #expect(
              share == (v == place.virtualRank ? place.slot..<place.slot + 1 : share.lowerBound..<share.lowerBound))
          }
        }
        #expect(next == (0..<virtualRanks).map { order.range(ofVirtualRank: $0).count })
      }
    }
  }

  @Test func sharesOfStepsAddUpToTheBatchAndMeetEverySlotOnce() {
    for rows in 0...25 {
      for virtualRanks in 1...9 {
        let order = order([rows], virtualRanks: virtualRanks)
        for batch in [1, 2, 3, 4, 5, 7, 8, 12, 25, 26, 100] {
          var next = [Int](repeating: 0, count: virtualRanks)
          let largest = order.largestShare(batch: batch)
          for step in 0..<order.steps(batch: batch) {
            let positions = order.positions(ofStep: step, batch: batch)
            #expect(positions.count == min(batch, rows - step * batch) && !positions.isEmpty)
            var sum = 0
            for v in 0..<virtualRanks {
              let share = order.share(ofVirtualRank: v, positions: positions)
              #expect(share.lowerBound == next[v])
              #expect(share.count <= largest)
              next[v] = share.upperBound
              sum += share.count
            }
            #expect(sum == positions.count)
          }
          #expect(next == (0..<virtualRanks).map { order.range(ofVirtualRank: $0).count })
        }
      }
    }
  }

  @Test func microBatchesCutAShare() {
    let order = order([100], virtualRanks: 3)
    for batch in [1, 2, 7, 30, 100] {
      for passes in 1...9 {
        for v in 0..<3 {
          let share = order.share(ofVirtualRank: v, positions: 0..<batch)
          let parts = (0..<passes).map { order.share(ofVirtualRank: v, positions: 0..<batch, pass: $0, of: passes) }
          #expect(parts.flatMap { Array($0) } == Array(share))
          let sizes = parts.map(\.count)
          #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
        }
      }
    }
  }

  @Test func everyRowOnceAnEpoch() {
    let cuts: [[Int]] = [[0], [1], [7], [30], [5, 0, 1, 11], [1, 1, 1, 1, 1], [0, 0, 3], [13, 0], [2, 29, 2]]
    for rows in cuts {
      for virtualRanks in [1, 2, 3, 5, 12] {
        for shuffle in [false, true] {
          for windowBytes in [1, 16, 48, 4_000] {
            let order = order(
              rows, virtualRanks: virtualRanks, seed: 7, shuffle: shuffle, windowBytes: windowBytes)
            for epoch in 0..<2 {
              var visited: [Int] = []
              for v in 0..<virtualRanks {
                let own = order.order(ofVirtualRank: v, epoch: epoch)
                let range = order.range(ofVirtualRank: v)
                let visits = own.rows
                #expect(visits.sorted() == Array(range))
                if !shuffle { #expect(visits == Array(range)) }
                for window in 0..<own.windowCount {
                  #expect(own.slots(ofWindow: window).count <= order.largestWindow(ofVirtualRank: v))
                  for slot in own.slots(ofWindow: window) { #expect(own.windowIndex(containing: slot) == window) }
                }
                visited += visits
              }
              #expect(visited.sorted() == Array(0..<rows.reduce(0, +)))
            }
          }
        }
      }
    }
  }

  @Test func blocksEndAtBordersOfShardsChunksAndRanges() {
    let order = order([7, 0, 5], blockRows: 3, virtualRanks: 2)
    var blocks: [Range<Int>] = []
    order.forEachBlock(of: order.range(ofVirtualRank: 0)) { blocks.append($0) }
    #expect(blocks == [0..<3, 3..<6])
    blocks = []
    order.forEachBlock(of: order.range(ofVirtualRank: 1)) { blocks.append($0) }
    #expect(blocks == [6..<7, 7..<10, 10..<12])
  }

  @Test func windowsAreWholeBlocksAtLeastTwoUpToTheirSize() {
    // 100 blocks of 10 rows, windows of 45 rows.
    let order = SampleOrder(
      segments: [SampleOrder.Segment(rows: 1_000, blockRows: 10)], columns: 1, virtualRanks: 1, seed: 3, shuffle: true,
      windowBytes: 180)
    let epoch = order.order(ofVirtualRank: 0, epoch: 0)
    #expect(epoch.windowCount == 25)
    var starts: [Int] = []
    for index in 0..<epoch.windowCount {
      let window = epoch.window(index)
      #expect(window.slots.count == 40)
      for piece in window.pieces {
        #expect(piece.lowerBound % 10 == 0 && piece.count % 10 == 0)
        starts += stride(from: piece.lowerBound, to: piece.upperBound, by: 10)
      }
      #expect(Set(epoch.rows(ofWindow: index)) == Set(window.pieces.flatMap { Array($0) }))
    }
    #expect(starts.sorted() == Array(stride(from: 0, to: 1_000, by: 10)))
    #expect(starts != starts.sorted(), "blocks come in another order than in the file")

    // Blocks larger than half a window: two of them nevertheless, and none is left alone.
    let large = SampleOrder(
      segments: [SampleOrder.Segment(rows: 70, blockRows: 10)], columns: 1, virtualRanks: 1, seed: 3, shuffle: true,
      windowBytes: 4)
    let sizes = (0..<large.order(ofVirtualRank: 0, epoch: 0).windowCount).map {
      large.order(ofVirtualRank: 0, epoch: 0).slots(ofWindow: $0).count
    }
    #expect(sizes == [20, 20, 30])
  }

  @Test func aRangeThatFitsIntoAWindowIsSimplyPermuted() {
    let order = order([50, 50], blockRows: 4, virtualRanks: 1, windowBytes: 400)
    let epoch = order.order(ofVirtualRank: 0, epoch: 0)
    #expect(epoch.isWhole && epoch.windowCount == 1)
    #expect(epoch.window(0).pieces == [0..<100])
    // The order does not depend on how the file is cut then.
    let other = SampleOrder(
      segments: [SampleOrder.Segment(rows: 100, blockRows: 17)], columns: 1, virtualRanks: 1, seed: 1, shuffle: true,
      windowBytes: 400)
    #expect(other.order(ofVirtualRank: 0, epoch: 0).rows == epoch.rows)
  }

  @Test func theOrderDependsOnSeedEpochAndVirtualRanks() {
    let one = order([200], virtualRanks: 2, seed: 1)
    let again = order([200], virtualRanks: 2, seed: 1)
    let other = order([200], virtualRanks: 2, seed: 2)
    #expect(one.order(ofVirtualRank: 1, epoch: 4).rows == again.order(ofVirtualRank: 1, epoch: 4).rows)
    #expect(one.order(ofVirtualRank: 1, epoch: 4).rows != one.order(ofVirtualRank: 1, epoch: 5).rows)
    #expect(one.order(ofVirtualRank: 1, epoch: 4).rows != other.order(ofVirtualRank: 1, epoch: 4).rows)
    let first = one.order(ofVirtualRank: 0, epoch: 0).rows
    #expect(one.order(ofVirtualRank: 1, epoch: 0).rows.map { $0 - 100 } != first)
  }

  /// A run that is resumed by a newer program goes on in the same order: these numbers may not change.
  @Test func theOrderStaysWhatItWas() {
    let order = order([20], blockRows: 4, virtualRanks: 2, seed: 42, windowBytes: 32)
    #expect(order.order(ofVirtualRank: 0, epoch: 0).rows == golden[0])
    #expect(order.order(ofVirtualRank: 1, epoch: 3).rows == golden[1])
  }

  private let golden = [[3, 5, 7, 2, 0, 4, 9, 6, 8, 1], [16, 13, 15, 18, 11, 14, 12, 17, 19, 10]]

  @Test func positionsOfARowAreSpreadEvenly() {
    // 24 rows, each at each place about equally often over 2,400 epochs: 100 times, within five deviations.
    let order = order([24], virtualRanks: 1, windowBytes: 1_000)
    var counts = [Int](repeating: 0, count: 24)
    for epoch in 0..<2_400 {
      if let place = order.order(ofVirtualRank: 0, epoch: epoch).rows.firstIndex(of: 5) { counts[place] += 1 }
    }
    #expect(counts.allSatisfy { abs($0 - 100) < 50 }, "\(counts)")
  }

  @Test func blocksAreWholeChunksOfAboutAMebibyte() {
    // 64 columns: 4,096 rows are a mebibyte.
    #expect(SampleOrder.blockRows(columns: 64, chunkRows: nil) == 4_096)
    #expect(SampleOrder.blockRows(columns: 64, chunkRows: 4_096) == 4_096)
    #expect(SampleOrder.blockRows(columns: 64, chunkRows: 1_000) == 4_000)
    #expect(SampleOrder.blockRows(columns: 64, chunkRows: 10_000) == 10_000)
    #expect(SampleOrder.blockRows(columns: 64, chunkRows: 1_000_000) == 4_096)
    #expect(SampleOrder.blockRows(columns: 10_000_000, chunkRows: nil) == 1)
  }
}
