public import JSON

/// How good a model is that predicts each row before it learns it: over the whole stream, over the last rows, and with the weight of
/// rows fading with time.
///
/// Source: J. Gama, R. Sebastião, P. Rodrigues, On Evaluating Stream Learning Algorithms (Machine Learning 2013).
public struct PrequentialScore: Equatable, Sendable {
  public struct Settings: Equatable, Sendable {
    /// Rows of the sliding window; 0 for none.
    public var window = 1000
    /// How much weight a row keeps with each row that follows it; 1 for no fading.
    public var fading = 0.999

    public init() {}
  }

  public let settings: Settings
  public private(set) var task: ScoreTask
  private var all: Tally
  private var allBins: ScoreBins?
  private var lastRows: ScoreWindow
  /// The weight of a row grows instead of that of the rows before it fading; all are scaled down before numbers become too large.
  private var fading: Tally
  private var fadingBins: ScoreBins?
  private var nextWeight = 1.0

  /// Nothing added so far.
  /// - Throws: `OnlineError` for settings that make no sense.
  public init(_ task: ScoreTask, _ settings: Settings = Settings()) throws(OnlineError) {
    try task.check()
    guard (0...1 << 20).contains(settings.window) else {
      throw OnlineError("a window of \(settings.window) rows, not of 0 to \(1 << 20)")
    }
    guard settings.fading > 0, settings.fading <= 1 else {
      throw OnlineError("a fading factor of \(settings.fading), not above 0 and at most 1")
    }
    self.task = task
    self.settings = settings
    all = Tally(task)
    fading = Tally(task)
    lastRows = ScoreWindow(capacity: settings.window, task: task)
    if task == .classification(classes: 2) { (allBins, fadingBins) = (ScoreBins(), ScoreBins()) }
  }

  /// Adds rows in their order; all without `rows`.
  public mutating func add(_ outcomes: Outcomes, _ rows: Range<Int>? = nil) {
    let rows = rows ?? 0..<outcomes.count
    precondition(
      rows.upperBound <= outcomes.count && outcomes.targets.count == outcomes.count * task.width,
      "rows \(rows) of \(outcomes.count)")
    if case .classification(let classes) = outcomes.task { addClasses(to: classes) }
    lastRows.add(outcomes, rows)
    switch task {
    case .classification(let classes): addClassification(outcomes, rows, classes)
    case .regression: addRegression(outcomes, rows)
    }
  }

  private mutating func addClassification(_ outcomes: Outcomes, _ rows: Range<Int>, _ classes: Int) {
    let (targets, predictions) = (outcomes.targets.span, outcomes.predictions.span)
    let growth = 1 / settings.fading
    for row in rows {
      let (target, predicted, loss) = (Int(targets[row]), Int(predictions[row]), outcomes.losses[row])
      all.add(weight: 1, target: target, predicted: predicted, classes: classes, loss: loss)
      fading.add(weight: nextWeight, target: target, predicted: predicted, classes: classes, loss: loss)
      if classes == 2, !outcomes.scores.isEmpty {
        allBins?.add(score: outcomes.scores[row], isPositive: target == 1, weight: 1)
        fadingBins?.add(score: outcomes.scores[row], isPositive: target == 1, weight: nextWeight)
      }
      grow(growth)
    }
  }

  private mutating func addRegression(_ outcomes: Outcomes, _ rows: Range<Int>) {
    let (targets, predictions) = (outcomes.targets.span, outcomes.predictions.span)
    let growth = 1 / settings.fading
    for row in rows {
      let offset = row * task.width
      all.add(weight: 1, targets: targets, predictions: predictions, at: offset, loss: outcomes.losses[row])
      fading.add(weight: nextWeight, targets: targets, predictions: predictions, at: offset, loss: outcomes.losses[row])
      grow(growth)
    }
  }

  @inline(__always)
  private mutating func grow(_ growth: Double) {
    nextWeight *= growth
    if nextWeight > 0x1p256 { rescale() }
  }

  /// Makes the weight of the next row 1.
  private mutating func rescale() {
    fading.scale(by: 1 / nextWeight)
    fadingBins?.scale(by: 1 / nextWeight)
    nextWeight = 1
  }

  /// Makes room for classes that came later. With the third one, areas under the ROC curve end.
  public mutating func addClasses(to count: Int) {
    guard case .classification(let classes) = task, count > classes else { return }
    task = .classification(classes: count)
    all.addClasses(to: count)
    fading.addClasses(to: count)
    (allBins, fadingBins) = (nil, nil)
    lastRows.endRanking()
  }

  /// Over all rows. The area under the ROC curve is known up to `aucError`.
  public var whole: Measures {
    var measures = Measures(all)
    measures.setArea(allBins?.area)
    return measures
  }

  /// Over the last rows. The area under the ROC curve is exact.
  public var window: Measures { lastRows.measures(task) }

  /// With fading weights; `rows` is the sum of the weights, the last row having 1.
  public var faded: Measures {
    var scaled = self
    // The last row had a weight one step below that of the next.
    scaled.nextWeight *= settings.fading
    scaled.rescale()
    var measures = Measures(scaled.fading)
    measures.setArea(scaled.fadingBins?.area)
    return measures
  }

  /// Adds what another rank has seen of the same stream: for reports. The windows and the fading weights are those of each rank's own rows, so that a
  /// window of n ranks is n times as long.
  public mutating func merge(_ other: PrequentialScore) {
    var other = other
    if case .classification(let classes) = other.task { addClasses(to: classes) }
    if case .classification(let classes) = task { other.addClasses(to: classes) }
    rescale()
    other.rescale()
    all.merge(other.all)
    fading.merge(other.fading)
    if let bins = other.allBins { allBins?.merge(bins) }
    if let bins = other.fadingBins { fadingBins?.merge(bins) }
    lastRows.join(other.lastRows)
  }
}

extension PrequentialScore {
  /// The state; a score made from it goes on bit for bit.
  public var json: JSONValue {
    var members: [(String, JSONValue)] = [("next_weight", .bits(nextWeight))]
    if case .classification(let classes) = task { members.append(("classes", .integer(classes))) }
    members += [("whole", all.json), ("fading", fading.json), ("window", lastRows.json)]
    if let allBins { members.append(("whole_scores", allBins.json)) }
    if let fadingBins { members.append(("fading_scores", fadingBins.json)) }
    return .object(members)
  }

  /// Goes on where the score that gave `json` was, with as many classes as that knew in the end.
  public init(_ task: ScoreTask, _ settings: Settings = Settings(), json: JSONNode) throws(OnlineError) {
    let state = StateReader("a prequential score", json)
    var task = task
    if case .classification = task { task = .classification(classes: try state.count("classes")) }
    try self.init(task, settings)
    nextWeight = try state.double("next_weight")
    all = try Tally(task, state.member("whole"))
    fading = try Tally(task, state.member("fading"))
    lastRows = try ScoreWindow(capacity: settings.window, task: task, state.member("window"))
    if allBins != nil {
      allBins = try ScoreBins(state.member("whole_scores"))
      fadingBins = try ScoreBins(state.member("fading_scores"))
    }
  }
}
