/// A shard that is to be written.
struct ShardJob: Equatable, Sendable {
  var plan: ShardPlan
  var shard: Int

  var rows: Range<Int> { plan.range(shard) }

  /// The shards that each rank writes: about as many rows each, and mostly those that stand where the rank's own rows stand in
  /// the table, so that few of them go from rank to rank. Of each split a rank gets shards that follow each other.
  static func deal(_ plans: [ShardPlan], among ranks: Int) -> [[ShardJob]] {
    var jobs: [ShardJob] = []
    for plan in plans { jobs += (0..<plan.shards).map { ShardJob(plan: plan, shard: $0) } }
    // By the middle of each shard within its split, in 1/2 shards; equal ones in the order of the splits.
    let order = jobs.indices.sorted { left, right in
      let a = (2 * jobs[left].shard + 1) * jobs[right].plan.shards
      let b = (2 * jobs[right].shard + 1) * jobs[left].plan.shards
      return a != b ? a < b : left < right
    }
    // A shard without rows is work too.
    let total = jobs.reduce(0) { $0 + $1.rows.count + 1 }
    var dealt = [[ShardJob]](repeating: [], count: ranks)
    var before = 0
    for index in order {
      let weight = jobs[index].rows.count + 1
      let middle = Double(2 * before + weight) / Double(2 * total)
      dealt[min(Int(middle * Double(ranks)), ranks - 1)].append(jobs[index])
      before += weight
    }
    return dealt
  }
}
