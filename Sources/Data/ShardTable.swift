import HDF5
import Text

/// Compares the shards of a data set and says which do not fit.
struct ShardTable {
  /// Lines of a table at most: who has more shards than that sees the odd ones and some of the others.
  private static let mostLines = 40

  let shards: [ShardDescription]
  let ranks: [Int]?

  /// Throws if some shards could not be described: what is wrong with the first, and which others failed.
  func checkFailures() throws(DataError) {
    let failed = shards.indices.filter { shards[$0].failure != nil }
    guard let first = failed.first, let failure = shards[first].failure else { return }
    guard failed.count > 1 else { throw failure }
    let others = failed.dropFirst()
    var message = failure.message
    message += "\nand \(others.count) more of \(shards.count) shards:"
    for index in others.prefix(Self.mostLines) {
      let text = shards[index].failure?.message ?? ""
      message += "\n  " + (text.split(separator: "\n").first.map(String.init) ?? "")
    }
    if others.count > Self.mostLines { message += "\n  ..." }
    throw DataError(failure.kind, message, hint: failure.hint)
  }

  /// What all shards with rows must have in common.
  private struct Signature: Hashable {
    let columns: Int
    let featureType: ElementType
    let targetColumns: Int
    let targetType: ElementType?
  }

  private func signature(_ shard: ShardDescription) -> Signature {
    Signature(
      columns: shard.columns, featureType: shard.featureType, targetColumns: shard.targetColumns,
      targetType: shard.targetType)
  }

  /// Throws a table with one line a shard unless all shards with rows have the same columns and types.
  func checkAgreement() throws(DataError) {
    var counts: [Signature: Int] = [:]
    for shard in shards where shard.rows > 0 { counts[signature(shard), default: 0] += 1 }
    guard counts.count > 1 else { return }
    // What most shards are; of equals that of the first shard.
    let largest = counts.values.max() ?? 0
    guard let common = shards.lazy.filter({ $0.rows > 0 }).map(signature).first(where: { counts[$0] == largest }) else {
      return
    }
    let odd = shards.indices.filter { shards[$0].rows > 0 && signature(shards[$0]) != common }
    var shown = Set(odd.prefix(Self.mostLines))
    for index in shards.indices where shown.count < Self.mostLines { shown.insert(index) }

    var table = Table(
      [
        Table.Column("rank", .right), Table.Column("file"), Table.Column("rows", .right),
        Table.Column("columns", .right),
        Table.Column("features"), Table.Column("targets"), Table.Column(""),
      ].filter { ranks != nil || $0.title != "rank" })
    for index in shards.indices where shown.contains(index) {
      let shard = shards[index]
      let targets =
        shard.targetType.map { shard.targetColumns == 1 ? "\($0)" : "\($0) x \(grouped(shard.targetColumns))" }
        ?? "none"
      var cells = [
        shard.path, grouped(shard.rows), grouped(shard.columns), shard.featureType.description, targets,
        shard.rows > 0 && signature(shard) != common ? "<- differs" : "",
      ]
      if let ranks { cells.insert(String(ranks[index]), at: 0) }
      table.append(cells)
    }
    var message = "the shards disagree (\(differences(common, odd)))\n" + table.rendered()
    if message.hasSuffix("\n") { message.removeLast() }
    if shown.count < shards.count { message += "\nand \(shards.count - shown.count) more" }
    throw DataError(
      .invalid, message, hint: "All shards of a data set need the same columns and types: leave out those that differ.")
  }

  private func differences(_ common: Signature, _ odd: [Int]) -> String {
    let signatures = odd.map { signature(shards[$0]) }
    var names: [String] = []
    if signatures.contains(where: { $0.columns != common.columns }) { names.append("columns") }
    if signatures.contains(where: { $0.featureType != common.featureType }) { names.append("type of the features") }
    if signatures.contains(where: { $0.targetColumns != common.targetColumns }) { names.append("number of targets") }
    if signatures.contains(where: { $0.targetType != common.targetType }) { names.append("type of the targets") }
    return names.joined(separator: ", ")
  }
}
