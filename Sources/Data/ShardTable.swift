import HDF5
import Text

/// Compares the shards of a data set and says which do not fit.
struct ShardTable {
  /// Lines of a table at most: who has more shards than that sees the odd ones and some of the others.
  private static let mostLines = 40

  let shards: [ShardDescription]
  let ranks: [Int]?

  /// Throws if some shards could not be described: what is wrong with the first, and how the others are.
  func checkFailures() throws(DataError) {
    let failed = shards.indices.filter { shards[$0].failure != nil }
    guard let first = failed.first, let failure = shards[first].failure else { return }
    guard shards.count > 1, failed.count > 1 || failure.kind == .invalid else { throw failure }
    let message = "\(failure.message)\n\(failed.count) of \(shards.count) shards cannot be used\n"
    throw DataError(
      failure.kind, message + text(among: failed, columns: [Table.Column("")]) { [Self.summary($0)] },
      hint: failure.hint)
  }

  private static func summary(_ shard: ShardDescription) -> String {
    guard let failure = shard.failure else { return "\(grouped(shard.rows)) rows, \(grouped(shard.columns)) columns" }
    var line = failure.message.split(separator: "\n").first.map(String.init) ?? ""
    // What would go on in the lines below.
    if line.hasSuffix("; it has:") { line.removeLast("; it has:".count) }
    // The path stands in its own column.
    return "<- " + (line.hasPrefix("'\(shard.path)' ") ? String(line.dropFirst(shard.path.count + 3)) : line)
  }

  /// A table with a line for each shard (rank, file, `cells`); where there are too many, for those in `first` first of all.
  private func text(
    among first: [Int], columns: [Table.Column], cells: (ShardDescription) -> [String]
  ) -> String {
    var shown = Set(first.prefix(Self.mostLines))
    for index in shards.indices where shown.count < Self.mostLines { shown.insert(index) }
    var table = Table((ranks == nil ? [] : [Table.Column("rank", .right)]) + [Table.Column("file")] + columns)
    for index in shards.indices where shown.contains(index) {
      let rank = ranks.map { [String($0[index])] } ?? []
      table.append(rank + [shards[index].path] + cells(shards[index]))
    }
    var text = table.rendered()
    if text.hasSuffix("\n") { text.removeLast() }
    return shown.count < shards.count ? text + "\nand \(shards.count - shown.count) more" : text
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
    let columns = [
      Table.Column("rows", .right), Table.Column("columns", .right), Table.Column("features"), Table.Column("targets"),
      Table.Column(""),
    ]
    let message =
      "the shards disagree (\(differences(common, odd)))\n"
      + text(among: odd, columns: columns) { shard in
        let targets =
          shard.targetType.map { shard.targetColumns == 1 ? "\($0)" : "\($0) x \(grouped(shard.targetColumns))" }
          ?? "none"
        return [
          grouped(shard.rows), grouped(shard.columns), shard.featureType.description, targets,
          shard.rows > 0 && signature(shard) != common ? "<- differs" : "",
        ]
      }
    throw DataError(
      .invalid, message, hint: "all shards of a data set need the same columns and types: leave out those that differ")
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
