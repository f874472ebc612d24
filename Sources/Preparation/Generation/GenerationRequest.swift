/// What relation between features and target a synthetic data set has.
public enum GeneratorKind: String, CaseIterable, Equatable, Sendable {
  /// y = w·x + b, with normal features, weights and noise.
  case linear
  /// Classes drawn with the probabilities of a logistic model (two classes) or a softmax model of normal features.
  case logistic
  /// One normal cloud of rows a class, around centres that are uniform in -10...10.
  case blobs
  /// What a random network with one hidden layer of rectifiers answers: values, or the class of the largest output.
  case teacher
}

/// What synthetic data set to make.
public struct GenerationRequest: Equatable, Sendable {
  public var kind: GeneratorKind
  /// Rows of all splits together.
  public var rows: Int
  public var columns: Int
  /// The directory of the data set.
  public var output: String
  /// Classes of the target; nil for the kind's own: 2 for `logistic`, 3 for `blobs`, and values for the others.
  public var classes: Int?
  /// Hidden units of a teacher.
  public var hidden = 32
  /// Deviation of the noise on values (0.1 if nil) and of the rows of a blob around its centre (1 if nil); for the classes
  /// of the other kinds the share of labels that are replaced by a random one (0 if nil).
  public var noise: Double?
  /// The share of the feature values that are missing, NaN in the shards.
  public var missing = 0.0
  public var drift: Drift?
  /// The splits follow each other, as in time: the first rows are for training, the last for testing.
  public var fractions = SplitFractions()
  public var seed = 1
  /// Shards of the training split, as in `PreparationRequest`.
  public var shards: Int?
  public var compress = false
  public var overwrite = false

  public init(_ kind: GeneratorKind, rows: Int, columns: Int, output: String) {
    self.kind = kind
    self.rows = rows
    self.columns = columns
    self.output = output
  }

  /// Word positions of the random streams are below rows · columns · 2.
  private static let mostRows = 1 << 40
  /// A shard's chunk holds at least one row.
  private static let mostColumns = 1 << 20
  private static let mostHidden = 1 << 16
  /// Parameters that `dataset.json` can tell.
  static let mostParameters = 4_000_000

  /// How many classes the target has; nil where it is a value.
  var classCount: Int? {
    switch kind {
    case .linear: nil
    case .logistic: classes ?? 2
    case .blobs: classes ?? 3
    case .teacher: classes
    }
  }

  /// The deviation of values around what the model says.
  var deviation: Double { kind == .blobs ? noise ?? 1 : classCount == nil ? noise ?? 0.1 : 0 }

  /// The share of labels that are random.
  var randomLabels: Double { kind != .blobs && classCount != nil ? noise ?? 0 : 0 }

  func check() throws(PreparationError) {
    try Self.require(rows, 1...Self.mostRows, "--rows")
    try Self.require(columns, 1...Self.mostColumns, "--columns")
    try Self.require(hidden, 1...Self.mostHidden, "--hidden")
    try Self.require(shards ?? 1, 1...PreparationRequest.mostShards, "--shards")
    try Self.require(classes ?? 2, 2...TargetScan.mostClasses, "--classes")
    try fractions.check()
    if kind == .linear, classes != nil {
      throw PreparationError(.usage, "--classes: the target of linear is a value", hint: "logistic has classes")
    }
    let parameters = (kind == .teacher ? hidden : classCount ?? 1).multipliedReportingOverflow(by: columns)
    guard !parameters.overflow, parameters.partialValue <= Self.mostParameters else {
      throw PreparationError(
        .usage, "a model of more than \(Self.mostParameters) parameters: fewer columns, classes or hidden units, please"
      )
    }
    guard missing >= 0, missing < 1 else {
      throw PreparationError(.usage, "--missing \(missing): a share from 0 up to but not including 1")
    }
    if let noise {
      let isShare = kind != .blobs && classCount != nil
      guard noise >= 0, isShare ? noise <= 1 : noise <= 1e6 else {
        throw PreparationError(
          .usage, "--noise \(noise): \(isShare ? "a share of the labels, from 0 to 1" : "a deviation, from 0 to 1e6")")
      }
    }
    try drift?.check(rows: rows)
  }

  private static func require(_ value: Int, _ range: ClosedRange<Int>, _ option: String) throws(PreparationError) {
    guard range.contains(value) else {
      throw PreparationError(.usage, "\(option) \(value): from \(range.lowerBound) to \(range.upperBound)")
    }
  }
}
