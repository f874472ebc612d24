import HDF5
import Kernels
import Testing

@testable import Data

@Suite struct BatchReaderTests {
  /// The promise of the house: over uneven shards, one empty, one of a single row, every row exactly once an epoch on any number
  /// of ranks, and the same rows in the same step.
  @Test(arguments: [true, false], [0, 1 << 20])
  func everyRowOnceAnEpochForAnyNumberOfRanks(shuffle: Bool, residentBytes: Int) throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [10, 0, 1, 33, 5, 17, 3], chunkRows: 4)
    #expect(dataset.rows == 69)
    let virtualRanks = 12
    let order = SampleOrder(
      segments: dataset.shards.map { SampleOrder.Segment(rows: $0.rows, blockRows: 2) }, columns: 3,
      virtualRanks: virtualRanks, seed: 5, shuffle: shuffle, windowBytes: 36)
    let batch = 8
    var expected: [[[Float]]]?
    for ranks in 1...5 {
      let readers = try (0..<ranks).map { rank in
        try BatchReader(
          dataset: dataset, order: order, virtualRanks: virtualRanks * rank / ranks..<virtualRanks * (rank + 1) / ranks,
          targetUse: .classIndex(classes: 5), residentBytes: residentBytes)
      }
      var steps: [[[Float]]] = []
      for epoch in 0..<2 {
        var seen = [Int](repeating: 0, count: dataset.rows)
        for step in 0..<order.steps(batch: batch) {
          let positions = order.positions(ofStep: step, batch: batch)
          var rows: [[Float]] = []
          for reader in readers {
            for v in reader.virtualRanks {
              let share = order.share(ofVirtualRank: v, positions: positions)
              let part = try reader.rows(virtualRank: v, epoch: epoch, slots: share)
              #expect(part.features.count == share.count)
              for (row, target) in zip(part.features, part.targets) {
                let number = Int(row[0])
                #expect(row == [Float(number), Float(number) + 0.25, Float(number) + 0.5])
                #expect(target == Float(number % 5))
                seen[number] += 1
              }
              rows += part.features
            }
          }
          #expect(rows.count == positions.count)
          steps.append(rows)
        }
        #expect(seen.allSatisfy { $0 == 1 })
      }
      if let expected { #expect(steps == expected) } else { expected = steps }
    }
  }

  @Test func rowsComeInTheOrderOfTheSamples() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [40, 30], chunkRows: 5)
    for (shuffle, resident, inPlace) in [
      (true, 0, false), (true, 1 << 20, false), (false, 0, false), (false, 1 << 20, false), (true, 0, true),
      (false, 0, true),
    ] {
      let order = SampleOrder(
        segments: dataset.shards.map { SampleOrder.Segment(rows: $0.rows, blockRows: 5) }, columns: 3, virtualRanks: 2,
        seed: 11, shuffle: shuffle, windowBytes: 200)
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: 0..<2, targetUse: .classIndex(classes: 5),
        residentBytes: resident, inPlace: inPlace)
      // Back and forth: any slots of any epoch at any time, as a resumed run needs them.
      for (epoch, slots) in [(0, 0..<35), (3, 10..<20), (0, 34..<35), (1, 0..<0), (1, 17..<33), (3, 0..<35)] {
        for v in 0..<2 {
          let rows = try reader.rows(virtualRank: v, epoch: epoch, slots: slots)
          let wanted = order.order(ofVirtualRank: v, epoch: epoch).rows[slots]
          #expect(rows.features.map { Int($0[0]) } == Array(wanted))
          #expect(rows.targets == wanted.map { Float($0 % 5) })
          // The same rows where they lie.
          try reader.withRows(virtualRank: v, epoch: epoch, slots: slots) { features, selection, targets in
            var copies = FloatBuffer(count: 3 * selection.count)
            copies.gather(selection, of: features, columns: 3)
            var labels = FloatBuffer(count: selection.count)
            labels.gather(selection, of: targets, columns: 1)
            #expect((0..<selection.count).map { Int(copies[3 * $0]) } == Array(wanted))
            #expect(labels.values() == rows.targets)
          }
        }
      }
    }
  }

  @Test func allVirtualRanksTogether() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [20, 3])
    let order = dataset.order(virtualRanks: 4, seed: 1, shuffle: true)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: 1..<4, targetUse: .classIndex(classes: 5))
    let positions = 3..<13
    var wanted: [Float] = []
    for v in 1..<4 {
      let share = order.share(ofVirtualRank: v, positions: positions)
      wanted += try reader.rows(virtualRank: v, epoch: 2, slots: share).features.map { $0[0] }
    }
    let (rows, targets) = try reader.withBatch(epoch: 2, positions: positions) { features, view, targets, offset in
      (rowsOf(features, view), targets.values(in: offset..<offset + view.rows))
    }
    #expect(rows.map { $0[0] } == wanted)
    #expect(targets == wanted.map { Float(Int($0) % 5) })
    // In micro-batches: the same rows, each virtual rank's in its order.
    var passes: [Float] = []
    for pass in 0..<3 {
      passes += try reader.withBatch(epoch: 2, positions: positions, pass: pass, of: 3) { features, view, _, _ in
        rowsOf(features, view).map { $0[0] }
      }
    }
    #expect(passes.sorted() == wanted.sorted())
  }

  /// Readers of features alone and of targets alone hand out the batches of one that reads both.
  @Test(arguments: [true, false], [0, 1 << 20])
  func partsOfRowsTogetherAreTheRows(shuffle: Bool, residentBytes: Int) throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [20, 0, 13], chunkRows: 4)
    let order = SampleOrder(
      segments: dataset.shards.map { SampleOrder.Segment(rows: $0.rows, blockRows: 4) }, columns: 3, virtualRanks: 2,
      seed: 4, shuffle: shuffle, windowBytes: 100)
    func reader(_ parts: RowParts) throws -> BatchReader {
      try BatchReader(
        dataset: dataset, order: order, virtualRanks: 0..<2, targetUse: .classIndex(classes: 5), parts: parts,
        residentBytes: residentBytes)
    }
    let (both, features, targets, none) = try (reader(.all), reader(.features), reader(.targets), reader([]))
    for epoch in 0..<2 {
      for slots in [0..<5, 5..<6, 6..<16] {
        for v in 0..<2 {
          let wanted = try both.rows(virtualRank: v, epoch: epoch, slots: slots)
          let found = try features.withBatch(virtualRank: v, epoch: epoch, slots: slots) { features, view, targets, _ in
            #expect(targets.count == 0)
            return rowsOf(features, view)
          }
          #expect(found == wanted.features)
          let labels = try targets.withBatch(virtualRank: v, epoch: epoch, slots: slots) { features, view, labels, at in
            #expect(features.count == 0 && view.count == 0 && view.rows == slots.count)
            return labels.values(in: at..<at + view.rows)
          }
          #expect(labels == wanted.targets)
          try none.withBatch(virtualRank: v, epoch: epoch, slots: slots) { features, view, targets, _ in
            #expect(features.count == 0 && targets.count == 0 && view.rows == slots.count)
          }
        }
      }
      // All virtual ranks together, in a pass of their own.
      let rows = try both.withBatch(epoch: epoch, positions: 0..<30) { features, view, _, _ in rowsOf(features, view) }
      let alone = try features.withBatch(epoch: epoch, positions: 0..<30) { features, view, _, _ in
        rowsOf(features, view)
      }
      #expect(alone == rows)
    }
    #expect(none.rowsRead == 0 && none.openShards.isEmpty)
  }

  /// What a reader does not read it does not look at either: not the values, and not whether the data set is there.
  @Test func partsThatAreNotReadAreNotOpened() throws {
    let scratch = try Scratch()
    let path = try writeShard(
      scratch.file("a.h5"), features: [1, .nan, 3] as [Float], shape: [3, 1], targets: [0, 1, 9] as [Int32])
    let dataset = try describe([path])
    let order = dataset.order(virtualRanks: 1, seed: 1, shuffle: false)
    func read(_ parts: RowParts) throws {
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .classIndex(classes: 3), parts: parts)
      try reader.withBatch(virtualRank: 0, epoch: 0, slots: 0..<3) { _, _, _, _ in }
    }
    #expect(dataError { try read(.features) }.message.contains("row 1, column 0: not a number"))
    #expect(dataError { try read(.targets) }.message.contains("row 2"))
    try read([])
    let rows = try RowReader(dataset: dataset, rows: 0..<2, targetUse: .classIndex(classes: 3), parts: .targets)
    try rows.withRows(0..<2) { features, view, targets, offset in
      #expect(features.count == 0 && view.rows == 2 && targets.values(in: offset..<offset + 2) == [0, 1])
    }
  }

  @Test func onlyShardsOfItsVirtualRanksAreOpened() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [10, 10, 10, 10])
    let order = dataset.order(virtualRanks: 4, seed: 1, shuffle: true)
    let reader = try BatchReader(dataset: dataset, order: order, virtualRanks: 1..<3, targetUse: .none)
    #expect(reader.openShards.isEmpty)
    _ = try reader.rows(virtualRank: 1, epoch: 0, slots: 0..<1)
    #expect(reader.openShards == [1])
    _ = try reader.rows(virtualRank: 2, epoch: 0, slots: 0..<10)
    #expect(reader.openShards == [1, 2])
  }

  @Test func fewFilesAreOpenAtATime() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [Int](repeating: 2, count: 30))
    let order = dataset.order(virtualRanks: 1, seed: 1, shuffle: true)
    let reader = try BatchReader(dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .none)
    #expect(try reader.rows(virtualRank: 0, epoch: 0, slots: 0..<60).features.count == 60)
    #expect(reader.openShards.count == ShardFiles.mostOpen)
  }

  @Test func whatFitsIsReadOnce() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [50])
    let order = dataset.order(virtualRanks: 1, seed: 1, shuffle: true)
    for resident in [0, 1 << 20] {
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .none, residentBytes: resident)
      for epoch in 0..<3 { _ = try reader.rows(virtualRank: 0, epoch: epoch, slots: 5..<20) }
      #expect(reader.rowsRead == 50)
      #expect(reader.secondsReading > 0)
    }
  }

  @Test func whatIsKeptIsReadWindowByWindow() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [50], chunkRows: 5)
    let order = SampleOrder(
      segments: [SampleOrder.Segment(rows: 50, blockRows: 5)], columns: 3, virtualRanks: 1, seed: 1, shuffle: true,
      windowBytes: 120)
    let kept = try BatchReader(dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .none)
    _ = try kept.rows(virtualRank: 0, epoch: 0, slots: 0..<1)
    #expect(kept.rowsRead == 10)
    for epoch in 0..<3 { _ = try kept.rows(virtualRank: 0, epoch: epoch, slots: 0..<50) }
    #expect(kept.rowsRead == 50)
    let streamed = try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .none, residentBytes: 0)
    for epoch in 0..<3 { _ = try streamed.rows(virtualRank: 0, epoch: epoch, slots: 0..<50) }
    #expect(streamed.rowsRead == 150)
  }

  @Test func rowsInTheOrderOfTheFileAreNotCopied() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [40])
    let order = dataset.order(virtualRanks: 1, seed: 1, shuffle: false)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .classIndex(classes: 5))
    // Where a batch lies in the buffer shows that it was not gathered: a copy begins at 0.
    try reader.withBatch(virtualRank: 0, epoch: 0, slots: 7..<12) { features, view, targets, offset in
      #expect(view == MatrixView(offset: 21, rows: 5, columns: 3))
      #expect(offset == 7)
      #expect(features.count == 120 && targets.count == 40)
    }
  }

  /// Rows of a window are put into the order of their slots while they are read, so that a batch is a part of the window.
  @Test func shuffledRowsOfAWindowAreNotCopied() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [50, 50], chunkRows: 5)
    let order = SampleOrder(
      segments: dataset.shards.map { SampleOrder.Segment(rows: $0.rows, blockRows: 5) }, columns: 3, virtualRanks: 1,
      seed: 2, shuffle: true, windowBytes: 360)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .classIndex(classes: 5), residentBytes: 0)
    let wanted = order.order(ofVirtualRank: 0, epoch: 0)
    #expect(wanted.windowCount > 2)
    try reader.withBatch(virtualRank: 0, epoch: 0, slots: 7..<12) { features, view, targets, offset in
      #expect(view == MatrixView(offset: 21, rows: 5, columns: 3) && offset == 7)
      #expect(rowsOf(features, view).map { Int($0[0]) } == Array(wanted.rows[7..<12]))
      #expect(targets.values(in: 7..<12) == wanted.rows[7..<12].map { Float($0 % 5) })
    }
  }

  /// Blocks of any make in one window: read in pieces, with a checksum, compressed, cut by the border of a virtual rank.
  @Test func everyMakeOfShards() throws {
    let scratch = try Scratch()
    let filters: [Filters?] = [
      nil, Filters.none, Filters(fletcher32: true), Filters(deflate: 1, shuffle: true, fletcher32: true),
    ]
    var paths: [String] = []
    for (index, filters) in filters.enumerated() {
      var features: [Float] = []
      for row in 37 * index..<37 * (index + 1) { features += [Float(row), Float(row) + 0.25, Float(row) + 0.5] }
      let targets = (0..<37).map { Int32($0 % 5) }
      paths.append(
        try writeShard(
          scratch.file("\(index).h5"), features: features, shape: [37, 3], targets: targets,
          chunkRows: filters == nil ? nil : 4, filters: filters ?? Filters.none))
    }
    let dataset = try describe(paths)
    for shuffle in [true, false] {
      let order = SampleOrder(
        segments: dataset.shards.map { SampleOrder.Segment(rows: $0.rows, blockRows: 4) }, columns: 3, virtualRanks: 3,
        seed: 9, shuffle: shuffle, windowBytes: 240)
      let reader = try BatchReader(
        dataset: dataset, order: order, virtualRanks: 0..<3, targetUse: .classIndex(classes: 5), residentBytes: 0)
      for v in 0..<3 {
        let wanted = order.order(ofVirtualRank: v, epoch: 0).rows
        let found = try reader.rows(virtualRank: v, epoch: 0, slots: 0..<wanted.count)
        let features = wanted.map { (row: Int) -> [Float] in [Float(row), Float(row) + 0.25, Float(row) + 0.5] }
        #expect(found.features == features)
        let targets = wanted.map { (row: Int) -> Float in Float(row % 37 % 5) }
        #expect(found.targets == targets)
      }
    }
  }

  @Test func anEmptyDataSetHasNoSteps() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [0, 0])
    let order = dataset.order(virtualRanks: 3, seed: 1, shuffle: true)
    #expect(order.steps(batch: 4) == 0)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<3, targetUse: .classIndex(classes: 5))
    #expect(try reader.rows(virtualRank: 0, epoch: 0, slots: 0..<0).features.isEmpty)
  }

  @Test func moreVirtualRanksThanRows() throws {
    let scratch = try Scratch()
    let dataset = try numberedDataset(scratch, rows: [1, 2])
    let order = dataset.order(virtualRanks: 8, seed: 1, shuffle: true)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<8, targetUse: .classIndex(classes: 5))
    let rows = try reader.withBatch(epoch: 0, positions: 0..<3) { features, view, _, _ in
      rowsOf(features, view).map { $0[0] }
    }
    #expect(rows == [0, 1, 2])
  }
}
