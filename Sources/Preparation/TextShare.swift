internal import MPI

/// What reads the blocks of a rank, one after the other.
protocol BlockVisitor: AnyObject {
  /// Takes all records of the block that the reader has loaded.
  func visit(_ block: Int, _ reader: inout CSVReader) throws(PreparationError)
}

/// The blocks of text that one rank reads.
struct TextShare: Sendable {
  let tables: InputTables
  let blocks: Range<Int>

  init(_ tables: InputTables, rank: Int, ranks: Int) {
    self.tables = tables
    blocks = tables.share(of: rank, among: ranks)
  }

  /// Where a reading began and how far it came.
  private struct Reach {
    var start = 0
    var end = 0
    var error: PreparationError?
  }

  /// Reads all blocks for the first time, when it is not known yet where the first of them starts.
  ///
  /// Every rank guesses its start, and where the records of the rank before end says whether the guess was right. If not, the
  /// rank reads its blocks again from there, with a visitor of its own; what the first one found counts for nothing.
  /// Collective. Returns the visitor and the byte that its first record starts at.
  /// - Throws: the error at the lowest place of the inputs, the same on every rank.
  func readFirst<Visitor: BlockVisitor>(
    _ ranks: borrowing some Ranks & ~Copyable, _ makeVisitor: () throws(PreparationError) -> Visitor
  ) throws -> (visitor: Visitor?, start: Int) {
    let shares = (0..<ranks.size).map { tables.share(of: $0, among: ranks.size) }
    var (visitor, reach) = attempt(from: nil, makeVisitor)
    var settled = 0
    while true {
      let reports = try ranks.allGather([reach.start, reach.end, reach.error == nil ? 0 : 1])
      var wrong: (rank: Int, start: Int)?
      var failed: Int?
      // The first rank that is not known to have begun at the right place, or has failed although it is.
      for rank in settled..<ranks.size {
        settled = rank
        if let start = expectedStart(of: rank, shares, reports), start != reports[rank][0] {
          wrong = (rank, start)
          break
        }
        if reports[rank][2] != 0 {
          failed = rank
          break
        }
      }
      if let failed {
        let message = try ranks.broadcast(reach.error?.encoded() ?? [], root: failed)
        throw try PreparationError(decoding: message)
      }
      guard let wrong else { return (visitor, reach.start) }
      if wrong.rank == ranks.rank {
        // What the first one holds goes first.
        visitor = nil
        (visitor, reach) = attempt(from: wrong.start, makeVisitor)
      }
    }
  }

  /// Where the rank before says that the records of `rank` start; nil where there is nothing to say.
  private func expectedStart(of rank: Int, _ shares: [Range<Int>], _ reports: [[Int]]) -> Int? {
    guard let first = shares[rank].first, !tables.blocks[first].isFirst,
      let before = shares[..<rank].lastIndex(where: { !$0.isEmpty })
    else { return nil }
    return reports[before][1]
  }

  private func attempt<Visitor: BlockVisitor>(
    from start: Int?, _ makeVisitor: () throws(PreparationError) -> Visitor
  ) -> (Visitor?, Reach) {
    var reach = Reach()
    var visitor: Visitor?
    do throws(PreparationError) {
      let made = try makeVisitor()
      visitor = made
      if let first = blocks.first {
        let block = tables.blocks[first]
        if let start {
          reach.start = start
        } else if block.isFirst {
          reach.start = block.range.lowerBound
        } else {
          reach.start = try BlockStart.guess(tables.tables[block.file], border: block.range.lowerBound)
        }
      }
      reach.end = try read(from: reach.start, made)
    } catch {
      reach.error = error
    }
    return (visitor, reach)
  }

  /// Reads all blocks, the first one from the byte `start` on; returns the byte behind the last record.
  func read(from start: Int, _ visitor: some BlockVisitor) throws(PreparationError) -> Int {
    var position = start
    var index = blocks.lowerBound
    while index < blocks.upperBound {
      let file = tables.blocks[index].file
      if tables.blocks[index].isFirst { position = tables.blocks[index].range.lowerBound }
      var reader = CSVReader(try CSVSource.open(tables.tables[file].path), tables.tables[file])
      while index < blocks.upperBound, tables.blocks[index].file == file {
        try reader.load(from: position, before: tables.blocks[index].range.upperBound)
        try visitor.visit(index, &reader)
        position = reader.position
        index += 1
      }
    }
    return position
  }
}
