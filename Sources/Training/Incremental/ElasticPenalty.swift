public import Data
import Failures
public import Kernels
public import Model

/// Elastic weight consolidation: `weight / 2 · Σ Fᵢ (θᵢ − θᵢ*)²` is added to the mean loss, where θ* are the parameters of the saved
/// model and F is the diagonal of the Fisher information of its rows, so that weights which old rows depend on change least.
///
/// F is the mean, over the rows of the kept sample, of the squared gradient of the loss of a row with its own target (the empirical
/// Fisher information). For losses that are negative log-likelihoods (softmax, logistic) that is the quantity of the source; for others
/// it is so up to a factor. It is 0 for parameters that are new.
/// Source: J. Kirkpatrick et al., Overcoming catastrophic forgetting in neural networks, PNAS 114 (2017), equation 3.
public final class ElasticPenalty {
  private let weight: Double
  /// The diagonal of the Fisher information, like the next laid out as the parameters.
  private let importance: FloatBuffer
  private let anchor: FloatBuffer
  private var pulled: FloatBuffer

  /// - Parameters:
  ///   - importance: of each parameter.
  ///   - anchor: what the parameters are held to.
  public init(weight: Double, importance: consuming FloatBuffer, anchor: consuming FloatBuffer) {
    precondition(importance.count == anchor.count, "\(importance.count) importances of \(anchor.count) parameters")
    self.weight = weight
    pulled = FloatBuffer(count: anchor.count)
    self.importance = importance
    self.anchor = anchor
  }

  /// The penalty of `parameters`.
  public func value(_ parameters: borrowing FloatBuffer) -> Double {
    var sum = 0.0
    for index in 0..<anchor.count {
      let way = Double(parameters[index]) - Double(anchor[index])
      sum += Double(importance[index]) * way * way
    }
    return weight / 2 * sum
  }

  /// Calls `body` with `gradient` to which the gradient of the penalty is added in `range`.
  /// - Parameter scale: what `gradient` will be multiplied by to be that of the mean loss.
  public func withGradient(
    _ gradient: borrowing FloatBuffer, of parameters: inout FloatBuffer, scale: Double, range: Range<Int>,
    _ body: (_ parameters: inout FloatBuffer, _ gradient: borrowing FloatBuffer) -> Void
  ) {
    Elastic.addPull(
      range, gradient: gradient, parameters: parameters, anchor: anchor, importance: importance,
      strength: Float(weight / scale), into: &pulled)
    body(&parameters, pulled)
  }

  /// The mean squared gradient of each parameter over rows: the diagonal of the empirical Fisher information.
  ///
  /// Every rank that passes the same rows gets the same bits.
  /// - Parameter rows: at least one; finite.
  public static func importance(
    of model: Model, _ parameters: borrowing FloatBuffer, rows: RowReader
  ) throws -> FloatBuffer {
    let workspace = Workspace(model, rows: 1)
    var gradient = FloatBuffer(count: model.layout.count)
    var sums = FloatBuffer(count: model.layout.count)
    let factor = 1 / Float(max(rows.rows.count, 1))
    for row in rows.rows {
      try rows.withRows(row..<row + 1) { features, view, targets, offset in
        guard view.rows > 0 else { return }
        _ = model.accumulateGradient(
          parameters: parameters, features: features, view: view, targets: targets, targetsOffset: offset,
          workspace: workspace, gradient: &gradient, at: 0, accumulate: false)
        Elastic.addSquares(of: gradient, times: factor, to: &sums)
      }
    }
    return sums
  }
}

extension ElasticPenalty {
  /// The penalty that holds a training to the model it goes on from. Every rank computes all of it, from the same rows.
  /// - Throws: `Failure` or `DataError` where model or sample cannot be read; not on every rank alike.
  convenience init(weight: Double, earlier: EarlierModel, sample: KeptSample, grown: Model, nonFinite: NonFinite) throws
  {
    let loaded = try LoadedModel(earlier.path)
    let description = loaded.description
    try description.check(sample.opened.dataset)
    let transform = try sample.opened.source.transform(
      model: description.normalization, scale: Float(description.scale))
    let reader = try RowReader(
      dataset: sample.opened.dataset, targetUse: ModelDesign.use(of: loaded.model).0, transform: transform,
      nonFinite: nonFinite)
    let (layout, whole) = (loaded.model.layout, grown.layout)
    let runs = whole.runs(of: 0..<whole.count, in: whole).within(layout, of: whole)
    var importance = FloatBuffer(count: whole.count)
    var anchor = FloatBuffer(count: whole.count)
    try loaded.withParameters { parameters in
      let found = try Self.importance(of: loaded.model, parameters, rows: reader)
      for run in runs {
        let first = layout.entries[run.tensor].range.lowerBound + run.start
        importance.copy(from: found, range: first..<first + run.local.count, to: run.local.lowerBound)
        anchor.copy(from: parameters, range: first..<first + run.local.count, to: run.local.lowerBound)
      }
    }
    self.init(weight: weight, importance: importance, anchor: anchor)
  }
}
