internal import Data

/// How many shards each split gets, and which rows each holds.
struct ShardPlan: Equatable, Sendable {
  /// Most bytes of features and targets of a shard, unless the number of shards is asked for.
  static let shardBytes = 32 << 20

  var split: SplitName
  var rows: Int
  var shards: Int
  /// Shards that the split has already; these come behind them.
  var earlier = 0

  /// The rows of the split that shard `index` holds: all shards are equal to the row.
  func range(_ index: Int) -> Range<Int> { border(index)..<border(index + 1) }

  private func border(_ index: Int) -> Int {
    // rows · index / shards without an overflow.
    let (quotient, remainder) = rows.quotientAndRemainder(dividingBy: shards)
    return quotient * index + remainder * index / shards
  }

  /// The file of shard `index`.
  func name(_ index: Int) -> String {
    DatasetManifest.shardName(split: split.rawValue, index: earlier + index, of: earlier + shards)
  }

  /// How many shards a split of so many bytes gets: one, two, or a multiple of four. So two or four ranks write, and read in a
  /// training, shards that hold mostly their own rows.
  private static func shards(bytes: Int) -> Int {
    if bytes <= shardBytes { return bytes <= shardBytes / 2 ? 1 : 2 }
    return 4 * ((bytes - 1) / (4 * shardBytes) + 1)
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
  ///   - dataset: gets the shards beside its own, and none without rows.
  /// - Throws: `PreparationError` if there are fewer rows to train on than shards asked for, or too many shards.
  static func plan(
    _ rows: [SplitName: Int], fractions: SplitFractions, asked: Int?, rowBytes: Int,
    addedTo dataset: EarlierDataset? = nil
  ) throws(PreparationError) -> [ShardPlan] {
    let training = rows[.train, default: 0]
    if let asked, asked > training {
      throw PreparationError(
        .usage, "--shards \(asked): the training split has only \(training) rows", hint: "at most one shard a row")
    }
    let plans = fractions.used.map { split in
      let count = rows[split, default: 0]
      let shards =
        switch asked {
        case nil: Self.shards(bytes: count * rowBytes)
        case let asked? where split == .train: asked
        case let asked?: Int((Double(count) * Double(asked) / Double(training)).rounded())
        }
      return ShardPlan(split: split, rows: count, shards: min(max(1, shards), PreparationRequest.mostShards))
    }
    guard let dataset else { return plans }
    return try plans.filter { $0.rows > 0 }.map { (plan) throws(PreparationError) in
      var plan = plan
      plan.earlier = dataset.shards(plan.split)
      guard plan.earlier + plan.shards <= PreparationRequest.mostShards else {
        throw PreparationError(
          .usage, "'\(dataset.path)' would have more than \(PreparationRequest.mostShards) shards of a split",
          hint: "apus prepare --from stores its rows in fewer shards")
      }
      return plan
    }
  }
}
