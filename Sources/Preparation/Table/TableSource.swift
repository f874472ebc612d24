/// Rows of a table, in blocks that are the same on any number of ranks, whatever they are read from.
protocol TableSource: AnyObject {
  var schema: Schema { get }
  /// How many blocks there are.
  var blocks: Int { get }
  /// The first input's name without its extension.
  var name: String { get }
  /// The classes of the target in their order, where they are known before the rows are read.
  var classNames: [String]? { get }

  /// The rows of a block, in their order.
  /// - Throws: `PreparationError` if they cannot be read or are not what the schema says.
  func read(_ block: Int) throws(PreparationError) -> ColumnBlock
  /// The split that all rows of the block are in already; nil where that is to be decided.
  func split(of block: Int) -> SplitName?
  /// How many bytes of the inputs make the block.
  func bytes(of block: Int) -> Int
  /// For each column how many fields of the blocks, which have been read, were taken for missing because they are malformed.
  func malformed(in blocks: Range<Int>) -> [Int]
}

extension TableSource {
  var classNames: [String]? { nil }
  func split(of block: Int) -> SplitName? { nil }
  func malformed(in blocks: Range<Int>) -> [Int] { schema.columns.map { _ in 0 } }

  /// The blocks of one rank: a run of them, about as many as every other rank has.
  func share(of rank: Int, among ranks: Int) -> Range<Int> {
    blocks * rank / ranks..<blocks * (rank + 1) / ranks
  }
}
