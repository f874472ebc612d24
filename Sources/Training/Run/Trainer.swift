import Failures
import Files
import Kernels
import Model
import Optimization
public import Parallel
import Watch

/// The training loop: one batch after the other, the same for every strategy.
///
/// Gradient, optimizer, metrics, validation, checkpoints: `train` reads in that order. All ranks run it in step; whatever they decide
/// follows from numbers that the reduction made equal.
public final class Trainer<Strategy: ParallelStrategy> {
  let job: TrainingJob
  let plan: TrainingPlan
  let strategy: Strategy
  var optimizer: Optimizer
  var state: TrainingState
  /// The parameters of the best validation, where early stopping wants them; empty otherwise.
  var best: FloatBuffer
  /// The learning rates of a run of steps of one row.
  var rates = FloatBuffer(count: 0)
  /// The step that this start began with.
  private(set) var firstStep: Int
  public internal(set) var lastLoss: Double?
  public private(set) var lastValidation: Metrics?
  private let validator: Validator<Strategy.RowScorer>?
  private let checkpointer: Checkpointer?
  private let survey: StragglerSurvey?
  /// What holds weights to those of the model that the training goes on from.
  private let elastic: ElasticPenalty?
  /// More steps in a row than this are not bad luck with the data.
  private static var mostSkipped: Int { 100 }
  private var skippedInRow = 0
  /// Told of progress; nil on the ranks that do not speak.
  var reporter: RunReporter?

  public init(
    job: TrainingJob, plan: TrainingPlan, strategy: Strategy, state: TrainingState,
    validator: Validator<Strategy.RowScorer>? = nil, checkpointer: Checkpointer? = nil,
    survey: StragglerSurvey? = nil, elastic: ElasticPenalty? = nil
  ) {
    self.job = job
    self.plan = plan
    self.strategy = strategy
    self.state = state
    firstStep = state.step
    self.validator = validator
    self.checkpointer = checkpointer
    self.survey = survey
    self.elastic = elastic
    optimizer = Optimizer(job.optimizer, penalty: job.penalty, layout: strategy.layout, owned: strategy.owned)
    best = FloatBuffer(count: job.patience > 0 ? strategy.layout.count : 0)
  }

  /// Trains to the end, or until a signal or early stopping ends it. Collective.
  public func train() throws -> TrainingOutcome {
    reporter?.begin(state)
    survey?.begin(after: state.step)
    defer { reporter?.end() }
    checkpointer?.begin()
    firstStep = state.step
    Pulse.enter(.step)
    var outcome = isConverged ? TrainingOutcome.converged : .finished
    while state.step < plan.totalSteps, outcome == .finished {
      makeRowSteps()
      let step = plan.step(state.step)
      Pulse.note(steps: state.step)
      let totals = try strategy.sumGradient(
        epoch: step.epoch, positions: step.positions, raised: flags,
        needsNorm: job.clipNorm > 0 || job.nonFiniteStep == .skip)
      state.skippedRows += step.positions.count - totals.rows
      if let rate = try update(totals, at: step) { reporter?.note(step, totals, state, learningRate: rate) }
      if let stragglers = try survey?.compare(after: state.step) { reporter?.note(stragglers, state) }
      if step.endsEpoch || state.step == plan.totalSteps { try validate(after: step) }
      if isConverged { outcome = .converged }
      if totals.stop, state.step < plan.totalSteps, outcome == .finished { outcome = .stopped }
      try checkpointer?.advance(othersWrite: totals.writing)
      if outcome == .finished, state.step < plan.totalSteps { try saveIfDue(totals) }
    }
    try checkFinite()
    if outcome == .stopped || job.checkpoint.isEnabled {
      try Pulse.during(.checkpoint) { try checkpointer?.saveLast(self) }
    }
    if outcome != .stopped { restoreBest() }
    return outcome
  }

  /// What this rank wants all ranks to know after the next step.
  private var flags: StepTotals {
    StepTotals(
      stop: Termination.isRequested, save: checkpointer?.isTimeUp ?? false, writing: checkpointer?.isWriting ?? false)
  }

  /// Begins a checkpoint where one falls due. The end is one too, so that a longer training can go on from it.
  private func saveIfDue(_ totals: StepTotals) throws {
    guard let checkpointer, checkpointer.isDue(after: state.step, isTimeUp: totals.save) else { return }
    reporter?.pause()
    survey?.pause()
    try Pulse.during(.checkpoint) { try checkpointer.save(self) }
    survey?.resume()
    reporter?.resume()
  }

  /// Applies the summed gradient of a step; returns the learning rate, nil for a step that is skipped.
  private func update(_ totals: StepTotals, at step: TrainingPlan.Step) throws -> Double? {
    // All rows of the batch may have been left out.
    let hasRows = totals.rows > 0
    let isLossFinite = hasRows && totals.loss.isFinite
    guard isLossFinite || !hasRows || job.nonFiniteStep == .skip else { throw diverged("the loss", of: step) }
    var scale = 1 / Double(max(totals.rows, 1))
    if job.clipNorm > 0 { scale *= clipScale(norm: strategy.gradientNorm() * scale, limit: job.clipNorm) }
    let rate = rate(ofStep: step.index)
    let isFinite = try strategy.update { parameters, gradient, range in
      guard isLossFinite else { return }
      guard let elastic else {
        return optimizer.update(
          parameters: &parameters, gradient: gradient, scale: Float(scale), learningRate: rate, range: range,
          completesStep: false)
      }
      elastic.withGradient(gradient, of: &parameters, scale: scale, range: range) { parameters, gradient in
        optimizer.update(
          parameters: &parameters, gradient: gradient, scale: Float(scale), learningRate: rate, range: range,
          completesStep: false)
      }
    }
    guard hasRows else { return skip(step, "every row of its batch is left out") }
    guard isFinite, isLossFinite else {
      let what = isLossFinite ? "the gradient" : "the loss"
      guard job.nonFiniteStep == .skip else { throw diverged(what, of: step) }
      skippedInRow += 1
      guard skippedInRow <= Self.mostSkipped else {
        throw diverged("\(what) of more than \(Self.mostSkipped) steps in a row, up to step \(step.index + 1),")
      }
      return skip(step, "\(what) is not finite")
    }
    optimizer.steps += 1
    state.step += 1
    state.samples += totals.rows
    skippedInRow = 0
    lastLoss = totals.loss
    return rate
  }

  /// Leaves the parameters as they are, and goes on with the next step.
  private func skip(_ step: TrainingPlan.Step, _ reason: String) -> Double? {
    state.step += 1
    state.skippedSteps += 1
    reporter?.noteSkipped(step, reason, state)
    return nil
  }

  /// The learning rate of the step at `index`, if no validation comes before it.
  func rate(ofStep index: Int) -> Double {
    job.schedule.rate(
      base: job.optimizer.learningRate, step: index, totalSteps: plan.totalSteps, multiplier: state.plateau.multiplier)
  }

  /// Evaluates the validation split, if there is one, and tells whoever listens to its loss.
  private func validate(after step: TrainingPlan.Step) throws {
    guard let validator else { return }
    reporter?.pause()
    survey?.pause()
    try checkFinite()
    let metrics = try Pulse.during(.evaluation) { try strategy.withParameters { try validator.evaluate($0) } }
    lastValidation = metrics
    reporter?.note(metrics, state, epoch: step.epoch)
    survey?.resume()
    reporter?.resume()
    state.plateau.observe(metrics.loss, job.schedule)
    if job.patience > 0, state.earlyStopping.observe(loss: metrics.loss, step: state.step) {
      strategy.withParameters { best.copy(from: $0) }
    }
  }

  private var isConverged: Bool {
    job.patience > 0 && state.earlyStopping.withoutImprovement >= job.patience
  }

  /// Early stopping ends with the parameters of the best validation, not with those of the last.
  private func restoreBest() {
    guard job.patience > 0, state.earlyStopping.bestLoss != nil else { return }
    strategy.replaceParameters { $0.copy(from: best) }
  }

  /// Throws before numbers that have run away reach a file, where they would take the place of good ones. Collective; the same on
  /// every rank.
  private func checkFinite() throws {
    func isFinite(_ values: borrowing FloatBuffer) -> Bool { Elementwise.isFinite(values, 0..<values.count) }
    let moment = optimizer.stateNames.indices.first { !optimizer.withState($0, isFinite) }
    try requireFinite(but: strategy.withParameters(isFinite) ? moment.map { .moment($0) } : .parameters)
  }

  /// Throws where some rank has found numbers that have run away. Collective; the same on every rank.
  func requireFinite(but place: NonFinitePlace?) throws {
    let names = optimizer.stateNames
    let code = try strategy.highest(place?.code(moments: names.count) ?? 0)
    let what: String
    switch NonFinitePlace(code: code, moments: names.count) {
    case nil: return
    case .parameters: what = "a parameter"
    case .moment(let index): what = "the optimizer's \(names[index])"
    }
    throw diverged("\(what) after step \(state.step)")
  }

  private func diverged(_ what: String, of step: TrainingPlan.Step) -> Failure {
    diverged("\(what) of step \(step.index + 1)", "; the step was not applied")
  }

  private func diverged(_ what: String, _ consequence: String = "") -> Failure {
    let kept = checkpointer?.savedStep.map { "; the checkpoint of step \($0) is intact" } ?? ""
    return Failure(
      .invalidData, "\(what) is not finite, though the data are: the training diverges\(consequence)",
      hint: "lower optimizer.learning_rate, set train.clip_norm, or scale the data\(kept)", isShared: true)
  }
}
