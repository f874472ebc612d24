public import JSON
public import Kernels
public import Model

/// Predicts rows of a stream and learns them, one by one or in small batches.
///
/// Rows are made ready with running statistics, predicted, and then learned. Everything is a pure function of settings and rows: learners with equal
/// states that see the same rows in the same calls stay equal bit for bit.
///
/// On several ranks each has one. What they combine depends on the kind; see `combines`.
public final class OnlineLearner {
  /// What the ranks of a stream exchange, so that they learn together.
  public enum Combination: Sendable {
    /// Sums of gradients, from `accumulate` to `step`, or `parameters`, averaged.
    case gradients
    /// `parameters`, averaged by the rows of each rank.
    case parameters
    /// Nothing but `takeEvidence` and `absorb`, which is exact: all ranks then know all rows.
    case evidence
  }

  enum Core {
    case gradient(GradientLearner)
    case squares(LeastSquaresLearner)
    case passive(PassiveAggressive)
  }

  public let settings: LearnerSettings
  public private(set) var model: Model
  /// Rows learned, those of other ranks not counted.
  public private(set) var rows = 0
  private let core: Core
  private let sharesEvidence: Bool
  private var standardizer: RunningStandardizer
  /// What it was before rows that may turn out not to be learnable.
  private var earlier: RunningStandardizer
  // Rows that are ready, and their targets.
  private var features = FloatBuffer(count: 0)
  private var targets = FloatBuffer(count: 0)

  /// Rows that are made ready at a time.
  private static let chunk = 1024

  /// A learner that knows nothing.
  /// - Parameter sharesEvidence: whether there are other ranks.
  /// - Throws: `OnlineError` where kind, sizes, loss and numbers do not go together.
  public init(_ settings: LearnerSettings, sharesEvidence: Bool = false) throws(OnlineError) {
    self.settings = settings
    self.sharesEvidence = sharesEvidence
    model = try settings.model()
    standardizer = RunningStandardizer(
      columns: settings.inputs, scales: settings.standardizes, missing: settings.missing, shares: sharesEvidence)
    earlier = standardizer
    core =
      switch settings.kind {
      case .rls: .squares(LeastSquaresLearner(settings, model: model, sharesEvidence: sharesEvidence))
      case .passiveAggressive: .passive(PassiveAggressive(settings, outputs: settings.outputs))
      case .linear, .logistic, .svm, .softmax, .mlp: .gradient(GradientLearner(settings, model: model))
      }
    try task.check()
  }

  /// What the learner predicts.
  public var task: ScoreTask {
    switch model.targetMeaning {
    case .values: .regression(outputs: model.outputs)
    case .binary: .classification(classes: 2)
    case .classIndex: .classification(classes: model.outputs)
    }
  }

  /// Floats of a row's targets.
  public var targetsPerRow: Int { model.targetsPerRow }

  public var combines: Combination {
    switch core {
    case .gradient: .gradients
    case .squares: .evidence
    case .passive: .parameters
    }
  }

  /// Statistics of the features, with which rows are made ready.
  public var moments: RunningMoments { standardizer.moments }

  /// What makes raw rows ready for the model, as they were until now: `(x - mean) / scale`; nil where rows are not standardised. No scale is 0.
  public var normalization: (means: [Double], scales: [Double])? {
    guard settings.standardizes else { return nil }
    return (moments.means, moments.variances.map { $0 > 0 ? $0.squareRoot() : 1 })
  }

  /// The parameters, laid out as `model.layout` has them; they are those for rows that are ready.
  ///
  /// Those of `rls` are a copy of its solution; what is written there is lost with the next row.
  public var parameters: FloatBuffer {
    _read {
      switch core {
      case .gradient(let learner): yield learner.parameters
      case .squares(let learner): yield learner.parameters
      case .passive(let learner): yield learner.parameters
      }
    }
    _modify {
      switch core {
      case .gradient(let learner): yield &learner.parameters
      case .squares(let learner): yield &learner.parameters
      case .passive(let learner): yield &learner.parameters
      }
    }
  }

  /// The solution of `rls` in Double, outputs × (inputs + 1), each with the bias last; nil for other learners.
  public var leastSquares: [Double]? {
    if case .squares(let learner) = core { learner.solution } else { nil }
  }

  /// Steps of the optimizer; of learners without one, rows.
  public var steps: Int {
    switch core {
    case .gradient(let learner): learner.steps
    case .squares(let learner): learner.rows
    case .passive(let learner): learner.steps
    }
  }

  /// Multiplies the learning rate of the schedule; without meaning for learners that have none.
  public var learningRateFactor: Double {
    get { if case .gradient(let learner) = core { learner.rateFactor } else { 1 } }
    set { if case .gradient(let learner) = core { learner.rateFactor = newValue } }
  }

  /// Forgets what the optimizer remembers; the parameters stay. `rls` forgets its rows, and its solution holds until there are others.
  public func resetOptimizer() {
    switch core {
    case .gradient(let learner): learner.resetOptimizer()
    case .squares(let learner): learner.forget()
    case .passive: break
    }
  }

  /// A learner with the same settings and statistics that has learned nothing.
  public func fresh(seed: UInt64) throws(OnlineError) -> OnlineLearner {
    var settings = settings
    settings.seed = seed
    settings.outputs = model.outputs
    let learner = try OnlineLearner(settings, sharesEvidence: sharesEvidence)
    learner.standardizer = standardizer
    return learner
  }

  /// Predicts and then learns `rows`: for every `rowsPerStep` of them one step with their mean gradient, after all of them were predicted.
  ///
  /// `rls` takes all of these into its solution; `passive_aggressive` learns each row by itself.
  /// - Parameters:
  ///   - features: rows × columns.
  ///   - targets: rows × `targetsPerRow`: 0 or 1, the index of a class, or numbers.
  ///   - outcomes: replaced by those of `rows`.
  /// - Throws: `OnlineError` for a target that is none, a missing value that is not imputed, and numbers that are not finite any more. `outcomes`
  ///   has the rows that were learned before; the others have changed nothing.
  public func learn(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, rows: Range<Int>, rowsPerStep: Int = 1,
    outcomes: inout Outcomes
  ) throws(OnlineError) {
    precondition(rowsPerStep > 0, "\(rowsPerStep) rows a step")
    outcomes.clear(task)
    try checkTargets(targets, rows)
    let whole = rowsPerStep * max(1, Self.chunk / rowsPerStep)
    var first = rows.lowerBound
    while first < rows.upperBound {
      let part = first..<min(first + whole, rows.upperBound)
      earlier.copy(standardizer)
      try prepare(features, targets, part)
      let learned = learnReady(part.count, rowsPerStep, &outcomes)
      self.rows += learned
      first += learned
      if learned < part.count {
        // As if the rows from there on had not been seen.
        standardizer.copy(earlier)
        try standardizer.learn(features, rows: part.lowerBound..<first, into: &self.features)
        throw OnlineError("row \(first - rows.lowerBound): the loss or its gradient is not finite")
      }
    }
  }

  private func prepare(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, _ rows: Range<Int>
  ) throws(OnlineError) {
    self.features.reserve(rows.count * model.inputs)
    self.targets.reserve(rows.count * targetsPerRow)
    try standardizer.learn(features, rows: rows, into: &self.features)
    self.targets.copy(
      from: targets, range: rows.lowerBound * targetsPerRow..<rows.upperBound * targetsPerRow)
  }

  private func learnReady(_ count: Int, _ rowsPerStep: Int, _ outcomes: inout Outcomes) -> Int {
    switch core {
    case .gradient(let learner):
      learner.learn(features, targets, count: count, rowsPerStep: rowsPerStep, outcomes: &outcomes)
    case .squares(let learner):
      learner.learn(features, targets, count: count, rowsPerStep: rowsPerStep, outcomes: &outcomes)
    case .passive(let learner): learner.learn(features, targets, count: count, outcomes: &outcomes)
    }
  }

  private func checkTargets(_ targets: borrowing FloatBuffer, _ rows: Range<Int>) throws(OnlineError) {
    let width = targetsPerRow
    let values = targets.span.extracting(rows.lowerBound * width..<rows.upperBound * width)
    for index in values.indices {
      let value = values[index]
      if case .classification(let classes) = task {
        if value >= 0, value < Float(classes), value == value.rounded(.down) { continue }
        throw OnlineError("row \(index / width): the target \(value) is no class of \(classes)")
      }
      if !value.isFinite { throw OnlineError("row \(index / width): the target is \(value)") }
    }
  }

  /// Predicts `rows` without learning them; `outcomes`, which are replaced, have no targets and no losses.
  /// - Throws: `OnlineError` for a missing value that is not imputed.
  public func predict(
    _ features: borrowing FloatBuffer, rows: Range<Int>, outcomes: inout Outcomes
  ) throws(OnlineError) {
    outcomes.clear(task)
    var first = rows.lowerBound
    while first < rows.upperBound {
      let part = first..<min(first + Self.chunk, rows.upperBound)
      self.features.reserve(part.count * model.inputs)
      try standardizer.transform(features, rows: part, into: &self.features)
      switch core {
      case .gradient(let learner): learner.predict(self.features, count: part.count, outcomes: &outcomes)
      case .squares(let learner): learner.predict(self.features, count: part.count, outcomes: &outcomes)
      case .passive(let learner): learner.predict(self.features, count: part.count, outcomes: &outcomes)
      }
      first = part.upperBound
    }
  }

  // MARK: Ranks

  /// Predicts `rows` and adds their gradient to `gradient`, without a step; for learners that combine gradients.
  ///
  /// `outcomes` are replaced by those of `rows`.
  /// - Throws: as `learn`; nothing was added then.
  public func accumulate(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, rows: Range<Int>, outcomes: inout Outcomes
  ) throws(OnlineError) {
    guard case .gradient(let learner) = core else {
      throw OnlineError("a learner of kind \"\(settings.kind.rawValue)\" has no gradient")
    }
    outcomes.clear(task)
    if rows.isEmpty { return }
    try checkTargets(targets, rows)
    earlier.copy(standardizer)
    try prepare(features, targets, rows)
    guard learner.accumulate(self.features, self.targets, count: rows.count, outcomes: &outcomes) else {
      standardizer.copy(earlier)
      throw OnlineError("the loss of \(rows.count) rows or its gradient is not finite")
    }
    self.rows += rows.count
  }

  /// The sum of the gradients since the last step, laid out as `parameters`; empty for learners that combine something else.
  public var gradient: FloatBuffer {
    _read {
      switch core {
      case .gradient(let learner): yield learner.gradient
      case .squares(let learner): yield learner.noGradient
      case .passive(let learner): yield learner.noGradient
      }
    }
    _modify {
      switch core {
      case .gradient(let learner): yield &learner.gradient
      case .squares(let learner): yield &learner.noGradient
      case .passive(let learner): yield &learner.noGradient
      }
    }
  }

  /// Makes a step with `gradient` divided by `samples`, the rows of all ranks, and empties it.
  public func step(samples: Int) {
    guard case .gradient(let learner) = core, samples > 0 else { return }
    learner.step(samples: samples)
  }

  /// What this rank saw since the last time that all ranks may count together: statistics of the features, and the rows of `rls`.
  public func takeEvidence() -> [Double] {
    let moments = standardizer.takeOwn().encoded
    guard case .squares(let learner) = core else { return moments }
    return moments + learner.takeOwn()
  }

  /// Adds what the ranks took, each rank's own too, in the order of the ranks; then all ranks know the same.
  /// - Throws: `OnlineError` for numbers that are not those of such a learner.
  public func absorb(_ ranks: [[Double]]) throws(OnlineError) {
    let count = 3 * model.inputs
    var moments: [RunningMoments] = []
    var others: [[Double]] = []
    for numbers in ranks {
      guard numbers.count >= count else { throw OnlineError("evidence of \(numbers.count) numbers, not of \(count)") }
      moments.append(try RunningMoments(encoded: Array(numbers[..<count])))
      others.append(Array(numbers[count...]))
    }
    if case .squares(let learner) = core { try learner.absorb(others) }
    standardizer.absorb(moments)
  }

  /// What all ranks knew after the last exchange, as a rank tells another one that is to know the same.
  public var knowledge: [Double] {
    let moments = standardizer.common.encoded
    guard case .squares(let learner) = core else { return moments }
    return moments + learner.common
  }

  /// Takes over the knowledge of another rank; what this one saw since it handed out its own counts beside it.
  /// - Throws: `OnlineError` for numbers that are not those of such a learner.
  public func adopt(_ knowledge: [Double]) throws(OnlineError) {
    let count = 3 * model.inputs
    guard knowledge.count >= count else {
      throw OnlineError("knowledge of \(knowledge.count) numbers, not of \(count)")
    }
    standardizer.adopt(try RunningMoments(encoded: Array(knowledge[..<count])))
    if case .squares(let learner) = core { try learner.adopt(Array(knowledge[count...])) }
  }

  /// Remembers of its steps what learners of other ranks do, on the mean; where there were more ranks, or fewer, none is forgotten so.
  ///
  /// Only learners with an optimizer remember anything.
  public func takeMeanOptimizer(of others: [OnlineLearner]) {
    guard case .gradient(let own) = core else { return }
    own.takeMean(of: others.compactMap { if case .gradient(let learner) = $0.core { learner } else { nil } })
  }

  // MARK: Growth

  /// Makes room for classes that came later: there are `count` then.
  /// - Throws: `OnlineError` for models of two classes or of quantities, which cannot have more.
  public func addClasses(to count: Int) throws(OnlineError) {
    guard count > model.outputs else { return }
    let growth = try ModelGrowth(model, outputs: count)
    model = growth.new
    switch core {
    case .gradient(let learner): learner.grow(growth)
    case .passive(let learner): learner.grow(growth)
    case .squares: break
    }
    try task.check()
  }

  // MARK: State

  /// The whole state; a learner made from it goes on bit for bit.
  public var json: JSONValue {
    let core =
      switch core {
      case .gradient(let learner): learner.json
      case .squares(let learner): learner.json
      case .passive(let learner): learner.json
      }
    return .object([
      ("outputs", .integer(model.outputs)), ("rows", .integer(rows)), ("statistics", standardizer.json),
      ("learner", core),
    ])
  }

  /// Goes on where the learner that gave `json` was, with the classes that it knew.
  /// - Throws: `OnlineError` for a state that is none of a learner with these settings.
  public convenience init(
    _ settings: LearnerSettings, sharesEvidence: Bool = false, json: JSONNode
  ) throws(OnlineError) {
    try self.init(settings, sharesEvidence: sharesEvidence)
    let state = StateReader("a learner of kind \"\(settings.kind.rawValue)\"", json)
    let outputs = try state.count("outputs")
    guard outputs >= settings.outputs else {
      throw state.error("\(outputs) outputs, and the settings have \(settings.outputs)")
    }
    try addClasses(to: outputs)
    rows = try state.count("rows")
    standardizer = try RunningStandardizer(
      columns: settings.inputs, scales: settings.standardizes, missing: settings.missing, shares: sharesEvidence,
      json: state.member("statistics").node)
    let part = try state.member("learner")
    switch core {
    case .gradient(let learner): try learner.resume(part)
    case .squares(let learner): try learner.resume(part)
    case .passive(let learner): try learner.resume(part)
    }
  }
}

extension LearnerSettings {
  var missing: RunningStandardizer.Missing { imputes ? .impute : .refuse }
}
