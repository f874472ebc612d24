import Files

/// The sources that a rank reads, in turn.
struct SourceSet {
  let sources: [StreamSource]
  private var next = 0

  /// How long a rank sleeps between two looks where nothing can wake it: files, and other ranks.
  private static let shortNap = Duration.milliseconds(1)
  private static let longNap = Duration.milliseconds(100)
  /// Turns of the sources after which a rank looks around.
  private static let mostTurns = 10_000

  init(_ sources: [StreamSource]) { self.sources = sources }

  /// Whether a source has rows that nobody has to wait for.
  var isBusy: Bool { sources.contains(where: \.isBusy) }

  var hasEnded: Bool { sources.allSatisfy(\.hasEnded) }

  /// The classes that rows wait for.
  var newClasses: [ClassLabel] { sources.compactMap(\.newClass) }

  /// The classes are these from now on; `predict` says what the model takes a row for without knowing the new ones.
  func know(_ classes: StreamClasses, predict: ([Float]) throws -> Int) rethrows {
    for source in sources { try source.know(classes, predict: predict) }
  }

  /// Takes rows that are there, `turn` of a source at a time, until `batch` holds `limit` rows or there are none.
  /// - Returns: how many rows were taken.
  mutating func fill(_ batch: inout RowBatch, upTo limit: Int, turn: Int) throws -> Int {
    // One source has nobody to take turns with.
    let turn = sources.count == 1 ? limit : turn
    let before = batch.rows
    var idle = 0
    var turns = 0
    // A flood of rows that are left out is none that only ends with it.
    while batch.rows < limit, idle < sources.count, turns < Self.mostTurns {
      turns += 1
      let taken = try sources[next].take(min(turn, limit - batch.rows), into: &batch)
      idle = taken == 0 && !sources[next].isBusy ? idle + 1 : 0
      next = (next + 1) % sources.count
    }
    return batch.rows - before
  }

  /// Waits until there may be something to read, without using the processor.
  /// - Parameters:
  ///   - timeout: at most so long.
  ///   - isAlone: nobody else may want something of this rank meanwhile.
  func wait(atMost timeout: Duration, isAlone: Bool) throws {
    let streams = sources.compactMap(\.stream)
    let wakes = isAlone && sources.allSatisfy { $0.hasEnded || $0.stream != nil }
    try ByteStream.wait(for: streams, atMost: min(timeout, wakes ? Self.longNap : Self.shortNap))
  }
}
