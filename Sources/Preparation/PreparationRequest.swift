internal import Data

/// What to make a data set from, and how.
public struct PreparationRequest: Equatable, Sendable {
  /// The CSV files, whose rows follow each other. All have the same columns, in any order.
  public var inputs: [String]
  /// The column to predict. All others are features.
  public var target: String
  /// The directory of the data set.
  public var output: String
  /// What the target is.
  ///
  /// `automatic` decides: text is classes. Numbers are classes if all are whole, there are at most 100 different ones,
  /// and either just two of them or at least five rows for each on average; else they are a regression.
  public var task = TargetTask.automatic
  /// The byte between fields; nil finds out.
  public var delimiter: UInt8?
  /// Everything else about the text of the inputs.
  public var dialect = CSVDialect()
  public var missing = MissingPolicy.error
  /// Which fields stand for no value.
  public var missingValues = MissingValue.standard
  public var fractions = SplitFractions()
  /// What the split is drawn from.
  public var seed = 1
  /// The rows to take, where a recipe does not say; nil takes all.
  public var sample: SampleSettings?
  /// Keep means and scales of the training split with the data set, so that features are standardized on reading.
  public var standardize = false
  /// Shards of the training split; the other splits get shards of about as many rows. Nil makes one for about 32 MiB.
  public var shards: Int?
  public var compress = false
  /// Rows of a chunk of features in the shards; nil: as many as make about 1 MiB.
  public var chunkRows: Int?
  /// Replace a data set that is there already.
  public var overwrite = false
  /// How many bytes of text are taken together. Sums over the rows are made block by block, so that their last bits depend on it,
  /// but not on the number of ranks.
  public var blockBytes = 4 << 20
  /// How many bytes of rows a rank may keep in memory until the shards are written; the others wait in files.
  public var memoryBytes = 120 << 20

  public init(inputs: [String], target: String, output: String) {
    self.inputs = inputs
    self.target = target
    self.output = output
  }

  /// The most shards of a split: their names have five digits.
  static let mostShards = 99_999

  /// A chunk waits in memory until it is full.
  private static let mostChunkRows = 1 << 24

  /// How the inputs are written, with the delimiter that was asked for.
  var writtenDialect: CSVDialect {
    var dialect = dialect
    if let delimiter { dialect.delimiter = delimiter }
    return dialect
  }

  /// How shards are stored.
  var shardOptions: ShardWriter.Options {
    ShardWriter.Options(compression: compress ? ShardAssembler.compressionLevel : nil, chunkRows: chunkRows)
  }

  func check() throws(PreparationError) {
    try checkInputs()
    try checkShards()
  }

  /// Checks what says how the shards are to be.
  func checkShards() throws(PreparationError) {
    try fractions.check()
    guard seed >= 0 else { throw PreparationError(.usage, "--seed \(seed): a seed is 0 or more") }
    if let shards, shards < 1 || shards > Self.mostShards {
      throw PreparationError(.usage, "--shards \(shards): from 1 to \(Self.mostShards)")
    }
    if let chunkRows, chunkRows < 1 || chunkRows > Self.mostChunkRows {
      throw PreparationError(.usage, "--chunk-rows \(chunkRows): from 1 to \(Self.mostChunkRows)")
    }
  }

  /// Checks what says how the inputs are read.
  func checkInputs() throws(PreparationError) {
    guard !inputs.isEmpty else { throw PreparationError(.usage, "no CSV file to prepare") }
    try dialect.check(delimiter: delimiter)
    precondition(blockBytes > 0 && blockBytes <= CSVReader.largestRecord, "blocks of \(blockBytes) bytes")
  }
}
