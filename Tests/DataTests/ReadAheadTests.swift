import Foundation
import HDF5
import Kernels
import Testing

@testable import Data

/// A thread reads what comes next; rows, their order and what is thrown are as without it.
@Suite struct ReadAheadTests {
  private func reader(
    _ dataset: ShardedDataset, _ order: SampleOrder, _ readingAhead: ReadingAhead,
    use: TargetUse = .classIndex(classes: 5), inPlace: Bool = false
  ) throws -> BatchReader {
    try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<order.virtualRanks, targetUse: use, residentBytes: 0,
      readingAhead: readingAhead, inPlace: inPlace)
  }

  private func order(
    _ dataset: ShardedDataset, virtualRanks: Int, shuffle: Bool, blockRows: Int, windowRows: Int
  ) -> SampleOrder {
    SampleOrder(
      segments: dataset.shards.map { SampleOrder.Segment(rows: $0.rows, blockRows: blockRows) },
      columns: dataset.columns, virtualRanks: virtualRanks, seed: 3, shuffle: shuffle,
      windowBytes: 4 * dataset.columns * windowRows)
  }

  @Test(arguments: [true, false], [1, 2, 5])
  func sameRowsInTheSameOrder(shuffle: Bool, virtualRanks: Int) throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [70, 0, 1, 133, 55], chunkRows: 4)
    let order = order(dataset, virtualRanks: virtualRanks, shuffle: shuffle, blockRows: 4, windowRows: 12)
    for batch in [1, 7, 40] {
      let (plain, ahead) = try (reader(dataset, order, .never), reader(dataset, order, .always, inPlace: batch == 7))
      for epoch in 0..<3 {
        for step in 0..<order.steps(batch: batch) {
          let positions = order.positions(ofStep: step, batch: batch)
          for v in 0..<virtualRanks {
            let slots = order.share(ofVirtualRank: v, positions: positions)
            let wanted = try plain.rows(virtualRank: v, epoch: epoch, slots: slots)
            let found = try ahead.rows(virtualRank: v, epoch: epoch, slots: slots)
            #expect(found.features == wanted.features)
            #expect(found.targets == wanted.targets)
          }
        }
      }
      #expect(ahead.isReadingAhead && !plain.isReadingAhead)
      #expect(ahead.rowsRead >= plain.rowsRead && plain.rowsRead == 3 * dataset.rows)
      #expect(ahead.secondsReading > 0 && ahead.secondsWaiting > 0)
    }
  }

  /// All virtual ranks in one batch, and in micro-batches.
  @Test func allVirtualRanksTogether() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [90, 61], chunkRows: 4)
    let order = order(dataset, virtualRanks: 3, shuffle: true, blockRows: 4, windowRows: 10)
    let (plain, ahead) = try (reader(dataset, order, .never), reader(dataset, order, .always))
    for epoch in 0..<2 {
      for step in 0..<order.steps(batch: 11) {
        let positions = order.positions(ofStep: step, batch: 11)
        for pass in 0..<2 {
          func rows(_ reader: BatchReader) throws -> [[Float]] {
            try reader.withBatch(epoch: epoch, positions: positions, pass: pass, of: 2) { features, view, _, _ in
              rowsOf(features, view)
            }
          }
          #expect(try rows(ahead) == rows(plain))
        }
      }
    }
  }

  /// Any slots of any epoch at any time, also such as were given back.
  @Test(arguments: [true, false])
  func backAndForth(shuffle: Bool) throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [80, 30], chunkRows: 5)
    let order = order(dataset, virtualRanks: 2, shuffle: shuffle, blockRows: 5, windowRows: 15)
    let reader = try reader(dataset, order, .always)
    let places = [
      (0, 0..<55), (0, 3..<9), (0, 4..<5), (0, 5..<6), (0, 4..<5), (3, 10..<20), (0, 54..<55), (1, 0..<0), (1, 17..<33),
      (1, 33..<55), (2, 0..<4), (3, 0..<55),
    ]
    for (epoch, slots) in places {
      for v in 0..<2 {
        let rows = try reader.rows(virtualRank: v, epoch: epoch, slots: slots)
        let wanted = order.order(ofVirtualRank: v, epoch: epoch).rows[slots]
        #expect(rows.features.map { Int($0[0]) } == Array(wanted))
        #expect(rows.targets == wanted.map { Float($0 % 5) })
      }
    }
  }

  /// Windows of several blocks: rows of 256 KiB, four to a block.
  @Test(arguments: [true, false])
  func windowsOfManyBlocks(shuffle: Bool) throws {
    let scratch = try Scratch()
    let columns = 1 << 16
    let rows = 70
    var features = [Float](repeating: 0, count: rows * columns)
    for row in 0..<rows { for column in 0..<columns { features[row * columns + column] = Float(row * 8 + column % 8) } }
    let path = try writeShard(
      scratch.file("a.h5"), features: features, shape: [rows, columns], targets: (0..<rows).map { Int32($0) },
      chunkRows: 2, filters: Filters(fletcher32: true))
    let dataset = try describe([path])
    let order = order(dataset, virtualRanks: 1, shuffle: shuffle, blockRows: 4, windowRows: 16)
    let reader = try reader(dataset, order, .always, use: .values(outputs: 1))
    for epoch in 0..<2 {
      let wanted = order.order(ofVirtualRank: 0, epoch: epoch).rows
      for step in 0..<order.steps(batch: 3) {
        let slots = order.positions(ofStep: step, batch: 3)
        try reader.withBatch(virtualRank: 0, epoch: epoch, slots: slots) { features, view, targets, offset in
          for row in 0..<view.rows {
            let number = wanted[slots.lowerBound + row]
            #expect(targets[offset + row] == Float(number))
            for column in [0, 1, columns / 2 + 3, columns - 1] {
              #expect(features[view.offset + row * columns + column] == Float(number * 8 + column % 8))
            }
          }
        }
      }
    }
  }

  /// The step in which a damaged row's window begins fails, with the words of a reader without a thread.
  @Test(arguments: [true, false])
  func errorsComeInTheirStep(shuffle: Bool) throws {
    let scratch = try Scratch()
    var features = (0..<300).map { Float($0) }
    features[3 * 77 + 1] = .infinity
    let path = try writeShard(
      scratch.file("a.h5"), features: features, shape: [100, 3], targets: (0..<100).map { Int32($0 % 5) }, chunkRows: 4)
    let dataset = try describe([path])
    let order = order(dataset, virtualRanks: 1, shuffle: shuffle, blockRows: 4, windowRows: 12)
    func failure(_ readingAhead: ReadingAhead) throws -> (step: Int, message: String) {
      let reader = try reader(dataset, order, readingAhead)
      for step in 0..<order.steps(batch: 5) {
        do {
          _ = try reader.rows(virtualRank: 0, epoch: 0, slots: order.positions(ofStep: step, batch: 5))
        } catch let error as DataError {
          // Again, as whoever asks twice: the same.
          #expect(
            dataError { _ = try reader.rows(virtualRank: 0, epoch: 0, slots: order.positions(ofStep: step, batch: 5)) }
              == error)
          return (step, error.description)
        }
      }
      return (-1, "")
    }
    let (plain, ahead) = try (failure(.never), failure(.always))
    #expect(plain == ahead)
    #expect(ahead.message.contains("row 77, column 1: infinite"))
  }

  @Test func aReaderThatGoesAwayEndsItsThread() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [400], chunkRows: 4)
    let order = order(dataset, virtualRanks: 1, shuffle: true, blockRows: 4, windowRows: 12)
    func threads() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").filter {
        (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == "apus-read\n"
      }.count
    }
    for _ in 0..<20 {
      let reader = try reader(dataset, order, .always)
      _ = try reader.rows(virtualRank: 0, epoch: 0, slots: 0..<20)
    }
    // Other tests may run beside; none of these twenty is left.
    #expect(try threads() < 20)
  }

  /// A reader whose rows are kept reads them once, and needs no thread.
  @Test func keptRowsNeedNoThread() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [100], chunkRows: 4)
    let order = order(dataset, virtualRanks: 1, shuffle: true, blockRows: 4, windowRows: 12)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .classIndex(classes: 5), readingAhead: .always)
    for epoch in 0..<2 { _ = try reader.rows(virtualRank: 0, epoch: epoch, slots: 0..<100) }
    #expect(!reader.isReadingAhead && reader.rowsRead == 100)
  }
}
