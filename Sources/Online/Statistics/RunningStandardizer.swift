public import JSON
public import Kernels

/// Makes rows ready for a learner with statistics of the stream so far: fills in what is missing, and scales.
///
/// A row's own values count in the statistics that it is made ready with: they are known when it is predicted.
///
/// Ranks share what they saw: each keeps, beside the statistics that it uses, those of its own rows since the last exchange, and all
/// add the latter in the order of the ranks to what they had in common before.
public struct RunningStandardizer: Equatable, Sendable {
  /// What becomes of a value that is missing or not finite.
  public enum Missing: String, Sendable {
    /// It is an error.
    case refuse
    /// The column's mean so far takes its place, 0 before the first one.
    case impute
  }

  /// Whether values become multiples of the column's deviation from its mean.
  public let scales: Bool
  public let missing: Missing
  /// What rows are made ready with.
  public private(set) var moments: RunningMoments
  /// What all ranks knew after the last exchange, and what this one saw since; nil where nothing is exchanged.
  private var shared: RunningMoments?
  private var own: RunningMoments?

  /// - Parameter shares: whether ranks exchange statistics.
  public init(columns: Int, scales: Bool = true, missing: Missing = .refuse, shares: Bool = false) {
    self.scales = scales
    self.missing = missing
    moments = RunningMoments(columns: columns)
    if shares { (shared, own) = (moments, moments) }
  }

  public var columns: Int { moments.columns }

  /// Counts `rows` of `features` in their order and writes them, made ready, to `result` from row `first` on.
  ///
  /// - Throws: `OnlineError` where a value is missing and is not to be imputed; nothing was counted then.
  public mutating func learn(
    _ features: borrowing FloatBuffer, rows: Range<Int>, into result: inout FloatBuffer, at first: Int = 0
  ) throws(OnlineError) {
    try check(features, rows)
    own?.observe(features, rows: rows)
    if scales {
      moments.standardize(features, rows: rows, into: &result, at: first)
      return
    }
    copy(features, rows, to: &result, first)
    guard missing == .impute else { return }
    for row in rows {
      moments.observe(features, rows: row..<row + 1)
      impute(&result, row: first + row - rows.lowerBound)
    }
  }

  /// Writes rows, made ready with the statistics as they are, without counting them.
  /// - Throws: as `learn`.
  public func transform(
    _ features: borrowing FloatBuffer, rows: Range<Int>, into result: inout FloatBuffer, at first: Int = 0
  ) throws(OnlineError) {
    try check(features, rows)
    if scales {
      moments.scale(features, rows: rows, into: &result, at: first)
    } else {
      copy(features, rows, to: &result, first)
      for row in 0..<rows.count where missing == .impute { impute(&result, row: first + row) }
    }
  }

  /// Becomes equal to `other`, which has the same settings, in its own memory.
  mutating func copy(_ other: RunningStandardizer) {
    moments.copy(other.moments)
    shared = other.shared
    if let moments = other.own { own?.copy(moments) }
  }

  private func check(_ features: borrowing FloatBuffer, _ rows: Range<Int>) throws(OnlineError) {
    let part = rows.lowerBound * columns..<rows.upperBound * columns
    guard missing == .refuse, !Elementwise.isFinite(features, part),
      let place = Elementwise.firstNonFinite(features, part)
    else { return }
    throw OnlineError(
      "column \(place % columns) of row \(place / columns - rows.lowerBound) is \(features[place]), not a finite number"
    )
  }

  private func copy(
    _ features: borrowing FloatBuffer, _ rows: Range<Int>, to result: inout FloatBuffer, _ first: Int
  ) {
    result.copy(from: features, range: rows.lowerBound * columns..<rows.upperBound * columns, to: first * columns)
  }

  private func impute(_ result: inout FloatBuffer, row: Int) {
    for column in 0..<columns where !result[row * columns + column].isFinite {
      result[row * columns + column] = Float(moments.means[column])
    }
  }

  // MARK: Ranks

  /// The statistics of this rank's rows since the last exchange, for all ranks; they count as handed out.
  public mutating func takeOwn() -> RunningMoments {
    guard let taken = own else { return RunningMoments(columns: columns) }
    own = RunningMoments(columns: columns)
    return taken
  }

  /// Adds what the ranks handed out, each rank's own too, in the order of the ranks. Every rank has the same statistics then.
  public mutating func absorb(_ ranks: [RunningMoments]) {
    guard var all = shared else { return }
    for moments in ranks { all.merge(moments) }
    adopt(all)
  }

  /// What all ranks know.
  var common: RunningMoments { shared ?? moments }

  /// Takes over what another rank knows; this one's own rows since it handed out the last ones count beside it.
  mutating func adopt(_ all: RunningMoments) {
    guard shared != nil else { return }
    shared = all
    moments = all
    if let own { moments.merge(own) }
  }

  /// Makes room for columns that came later.
  mutating func addColumns(to count: Int) {
    moments.addColumns(to: count)
    shared?.addColumns(to: count)
    own?.addColumns(to: count)
  }
}

extension RunningStandardizer {
  /// The state; a standardizer made from it goes on bit for bit.
  public var json: JSONValue {
    var members: [(String, JSONValue)] = [("moments", moments.json)]
    if let shared, let own { members += [("shared", shared.json), ("own", own.json)] }
    return .object(members)
  }

  /// Goes on where the one that gave `json` was.
  ///
  /// A state of one rank may go on with others, and the other way round: what one knew is then what all know.
  public init(columns: Int, scales: Bool, missing: Missing, shares: Bool, json: JSONNode) throws(OnlineError) {
    self.init(columns: columns, scales: scales, missing: missing, shares: shares)
    let state = StateReader("running statistics", json)
    moments = try RunningMoments(columns: columns, state, "moments")
    guard shares else { return }
    if json["shared"] == nil {
      shared = moments
    } else {
      shared = try RunningMoments(columns: columns, state, "shared")
      own = try RunningMoments(columns: columns, state, "own")
    }
  }
}

extension RunningMoments {
  /// Counts `rows` of `features`, in their order.
  public mutating func observe(_ features: borrowing FloatBuffer, rows: Range<Int>) {
    MomentRows.observe(
      features, rows: rows, columns: columns, counts: &counts, means: &means, variances: &variances)
  }

  mutating func standardize(
    _ features: borrowing FloatBuffer, rows: Range<Int>, into result: inout FloatBuffer, at first: Int
  ) {
    MomentRows.standardize(
      features, rows: rows, columns: columns, counts: &counts, means: &means, variances: &variances, into: &result,
      at: first)
  }

  func scale(_ features: borrowing FloatBuffer, rows: Range<Int>, into result: inout FloatBuffer, at first: Int) {
    MomentRows.scale(
      features, rows: rows, columns: columns, means: means, variances: variances, into: &result, at: first)
  }
}
