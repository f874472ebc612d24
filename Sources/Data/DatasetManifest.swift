public import JSON

/// What `dataset.json` says about a directory of shards.
public struct DatasetManifest: Equatable, Sendable {
  /// The name of the file in the directory of the data set.
  public static let fileName = "dataset.json"

  /// The version of the format that is written, and the newest that is read.
  public static let version = 1

  /// What the targets mean.
  public enum Target: Equatable, Sendable {
    /// Class indices; `classes` has their names in order.
    case classification(name: String, classes: [String])
    /// `outputs` values a row.
    case regression(name: String, outputs: Int)

    /// The name of the column or columns that the targets came from.
    public var name: String {
      switch self {
      case .classification(let name, _), .regression(let name, _): name
      }
    }
  }

  public struct Shard: Equatable, Sendable {
    /// The name of the file in the directory.
    public var file: String
    public var rows: Int

    public init(file: String, rows: Int) {
      self.file = file
      self.rows = rows
    }
  }

  public struct Split: Equatable, Sendable {
    public var name: String
    public var shards: [Shard]

    /// The rows of all shards; the reader of the file has checked that there is such a number.
    public var rows: Int { shards.reduce(0) { $0 + $1.rows } }

    public init(name: String, shards: [Shard]) {
      self.name = name
      self.shards = shards
    }
  }

  /// Something that was fitted on the training split and belongs to the meaning of the features.
  ///
  /// A closed set: a reader that does not know a kind refuses the data set, since leaving it out would change what a row means.
  public enum Transformation: Equatable, Sendable {
    /// `applied`: the shards hold normalized features. Otherwise the reader normalizes.
    case standardize(Normalization, applied: Bool)
  }

  public var name: String
  /// Names of the feature columns in order.
  public var columns: [String]
  /// Names of the data sets in each shard.
  public var features: String
  public var targets: String
  /// Nil where the shards hold no targets.
  public var target: Target?
  /// In the order of their fitting.
  public var transformations: [Transformation]
  /// How raw rows became these features and targets, as data preparation writes it; nil where they are the columns of a table as
  /// they are.
  public var preparation: JSONValue?
  /// What shuffled and split the rows.
  public var seed: Int?
  /// What made the rows of a synthetic data set, with its parameters; nil for real data. Nothing here depends on it.
  public var generator: JSONValue?
  public var splits: [Split]

  public init(
    name: String, columns: [String], features: String = DataSource.defaultFeatures,
    targets: String = DataSource.defaultTargets, target: Target?, transformations: [Transformation] = [],
    preparation: JSONValue? = nil, seed: Int? = nil, generator: JSONValue? = nil, splits: [Split]
  ) {
    self.name = name
    self.columns = columns
    self.features = features
    self.targets = targets
    self.target = target
    self.transformations = transformations
    self.preparation = preparation
    self.seed = seed
    self.generator = generator
    self.splits = splits
  }

  /// Names of the classes in the order of their indices; empty where the target is none.
  public var classes: [String] {
    if case .classification(_, let classes) = target { classes } else { [] }
  }

  /// The fitted normalization, whether the shards hold normalized features or not. It belongs into the model.
  public var normalization: Normalization? {
    for case .standardize(let normalization, _) in transformations { return normalization }
    return nil
  }

  /// Whether the shards hold features that are normalized already.
  public var isNormalized: Bool {
    for case .standardize(_, let applied) in transformations { return applied }
    return false
  }

  public func split(named name: String) -> Split? { splits.first { $0.name == name } }

  /// The name of a shard's file: `train-00000-of-00004.h5`.
  public static func shardName(split: String, index: Int, of count: Int) -> String {
    func digits(_ n: Int) -> String {
      let text = String(n)
      return String(repeating: "0", count: max(0, 5 - text.utf8.count)) + text
    }
    return "\(split)-\(digits(index))-of-\(digits(count)).h5"
  }
}
