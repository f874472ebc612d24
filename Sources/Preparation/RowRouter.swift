internal import Data
internal import Files
internal import Kernels
internal import MPI

/// Deals the rows of a rank to the splits, once it is known how many rows there are.
struct RowRouter {
  let store: RowStore
  let directory: String
  let rank: Int
  let columns: Int
  /// The rank's blocks, and the rows of each.
  let blocks: Range<Int>
  let rowsOfBlock: [Int]
  /// The class of each code of the rank's targets; empty for a regression.
  let classes: [Int32]
  let classCount: Int

  /// What dealing the rows came to.
  struct Outcome {
    /// For each block of the rank, how many of its rows go to each split.
    var counts: [[Int]] = []
    /// For each split, how many rows of each class it has.
    var rowsPerClass: [[Int]]
    /// Mean and spread of the training rows.
    var moments: BlockTree<ColumnMoments>?
  }

  /// Writes the split of each row beside the rows.
  ///
  /// - Parameters:
  ///   - split: with the rows of the ranks before passed over.
  ///   - standardize: find mean and spread of the training rows.
  func route(_ split: inout Split, standardize: Bool) throws(PreparationError) -> Outcome {
    let file = try PreparationError.translating { () throws(FilesError) in
      try File.create(FileSystem.join(directory, RowSpill.routesName(rank: rank)))
    }
    var outcome = Outcome(
      rowsPerClass: SplitName.allCases.map { _ in [Int](repeating: 0, count: classCount) },
      moments: standardize ? BlockTree { $0.merge($1) } : nil)
    var targets = FloatBuffer(count: 0)
    var features = FloatBuffer(count: 0)
    var firstRow = 0
    for (block, rows) in zip(blocks, rowsOfBlock) {
      let range = firstRow..<firstRow + rows
      firstRow += rows
      var routes: [UInt8]?
      if classes.isEmpty {
        routes = split.next(rows)
      } else {
        targets.reserve(rows * RowStore.targetWidth)
        try store.targets(range, into: &targets)
        routes = self.routes(rows, targets, &split, &outcome)
      }
      guard let routes else {
        throw PreparationError(.io, "the rows that were put aside in '\(directory)' have changed")
      }
      outcome.counts.append(Self.counts(routes))
      do throws(FilesError) { try file.write(routes) } catch { throw PreparationError(error) }
      guard standardize else { continue }
      features.reserve(rows * columns)
      try store.features(range, into: &features)
      var moments = ColumnMoments(columns: columns)
      for row in 0..<rows where routes[row] == SplitName.train.place { moments.add(features.span, at: row * columns) }
      outcome.moments?.append(BlockTree.Branch(level: 0, index: block, state: moments))
    }
    return outcome
  }

  /// The splits of rows of classes; nil where there are more of a class than were counted.
  private func routes(_ rows: Int, _ targets: borrowing FloatBuffer, _ split: inout Split, _ outcome: inout Outcome)
    -> [UInt8]?
  {
    var routes = [UInt8](repeating: 0, count: rows)
    let values = targets.span
    for row in 0..<rows {
      let label = Int(classes[Int(values[RowStore.targetWidth * row + 1])])
      guard let name = split.next(stratum: label) else { return nil }
      routes[row] = name.route
      outcome.rowsPerClass[name.place][label] += 1
    }
    return routes
  }

  /// How many rows go to each split.
  private static func counts(_ routes: [UInt8]) -> [Int] {
    SplitName.allCases.map { split in
      var count = 0
      for route in routes.span.indices where routes[route] == split.route { count += 1 }
      return count
    }
  }
}

extension BlockTree<ColumnMoments> {
  /// The state of all blocks, from the branches of all ranks. Collective.
  func total(_ ranks: borrowing some Ranks & ~Copyable, columns: Int) throws -> ColumnMoments {
    var message: [Double] = []
    for branch in branches { message += [Double(branch.level), Double(branch.index)] + branch.state.numbers }
    var all = BlockTree { $0.merge($1) }
    let width = 2 + ColumnMoments(columns: columns).numbers.count
    for part in try ranks.allGather(message) {
      for start in stride(from: 0, to: part.count, by: width) {
        all.append(
          Branch(
            level: Int(part[start]), index: Int(part[start + 1]),
            state: ColumnMoments(columns: columns, numbers: part[start + 2..<start + width])))
      }
    }
    return all.total ?? ColumnMoments(columns: columns)
  }
}
