internal import Data

/// How many shards each split gets, and which rows each holds.
struct ShardPlan: Equatable, Sendable {
  /// About how many bytes of features and targets make a shard.
  static let shardBytes = 64 << 20

  var split: SplitName
  var rows: Int
  var shards: Int

  /// The rows of the split that shard `index` holds: all shards are equal to the row.
  func range(_ index: Int) -> Range<Int> { border(index)..<border(index + 1) }

  private func border(_ index: Int) -> Int {
    // rows · index / shards without an overflow.
    let (quotient, remainder) = rows.quotientAndRemainder(dividingBy: shards)
    return quotient * index + remainder * index / shards
  }

  /// The file of shard `index`.
  func name(_ index: Int) -> String {
    DatasetManifest.shardName(split: split.rawValue, index: index, of: shards)
  }

  /// The split as `dataset.json` has it.
  var description: DatasetManifest.Split {
    DatasetManifest.Split(
      name: split.rawValue,
      shards: (0..<shards).map { DatasetManifest.Shard(file: name($0), rows: range($0).count) })
  }

  /// Plans every split that the fractions ask for, also where it came out without a row.
  ///
  /// - Parameters:
  ///   - asked: how many shards the training split shall have; the others get shards of about as many rows.
  ///   - rowBytes: bytes of a row with its target.
  /// - Throws: `PreparationError` if there are fewer rows to train on than shards asked for.
  static func plan(_ rows: [SplitName: Int], fractions: SplitFractions, asked: Int?, rowBytes: Int)
    throws(PreparationError) -> [ShardPlan]
  {
    let training = rows[.train, default: 0]
    if let asked, asked > training {
      throw PreparationError(
        .usage, "--shards \(asked): the training split has only \(training) rows", hint: "at most one shard a row")
    }
    return fractions.used.map { split in
      let count = rows[split, default: 0]
      let rowsPerShard = asked.map { Double(training) / Double($0) } ?? (Double(shardBytes) / Double(rowBytes))
      let shards = asked != nil && split == .train ? asked ?? 1 : Int((Double(count) / rowsPerShard).rounded())
      return ShardPlan(split: split, rows: count, shards: min(max(1, shards), PreparationRequest.mostShards))
    }
  }
}
