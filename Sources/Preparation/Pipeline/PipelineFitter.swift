/// Fits a pipeline on training rows, in as many passes over them as its transformations build on each other.
///
///     while !fitter.isFinished {
///       var pass = fitter.makePass()
///       // pass.observe(...) for all training rows, and pass.merge(...) over all ranks
///       try fitter.finish(pass)
///     }
public struct PipelineFitter: Sendable {
  private let pipeline: Pipeline
  private var columns: [FittedColumn]
  private var estimates: [Estimate]

  public init(_ pipeline: Pipeline) {
    self.pipeline = pipeline
    columns = pipeline.columns.map { column in
      var fitted = FittedColumn()
      switch column.missing {
      case .number(let number): fitted.fill = .number(number)
      case .text(let text): fitted.fill = .text(text)
      case .error, .drop, .mean, .median, .mostFrequent: break
      }
      return fitted
    }
    estimates = columns.map { _ in .nothing }
    for index in columns.indices { advance(index) }
  }

  /// Whether there is nothing (more) to fit.
  public var isFinished: Bool { estimates.allSatisfy { $0 == .nothing } }

  /// The next pass, which has seen nothing yet.
  public func makePass() -> FittingPass {
    FittingPass(pipeline: pipeline, columns: columns, estimates: estimates.map(\.emptied))
  }

  /// Takes the result of a pass over all training rows; the same on every rank.
  /// - Throws: `PreparationError` where there is no value to fit from.
  public mutating func finish(_ pass: FittingPass) throws(PreparationError) {
    for index in estimates.indices {
      switch pass.estimates[index] {
      case .nothing: continue
      case .quantiles(var searches):
        for search in searches.indices { searches[search].finishPass() }
        estimates[index] = .quantiles(searches)
        if !searches.allSatisfy(\.isFinished) { continue }
        try take(.quantiles(searches), index)
      case let estimate: try take(estimate, index)
      }
      advance(index)
    }
  }

  /// The pipeline with everything fitted.
  /// - Parameters:
  ///   - target: what the target is learned as.
  ///   - dialect: how the tables write their text and numbers.
  public func fitted(
    target: TargetEncoding, dialect: CSVDialect = CSVDialect()
  ) throws(PreparationError) -> FittedPipeline {
    precondition(isFinished, "a pipeline that is not fitted yet")
    return try FittedPipeline(pipeline, columns: columns, target: target, dialect: dialect)
  }

  /// Whether the fill of a column is still to be found.
  private func lacksFill(_ index: Int) -> Bool {
    guard pipeline.columns[index].isFeature, columns[index].fill == nil else { return false }
    switch pipeline.columns[index].missing {
    case .mean, .median, .mostFrequent: return true
    case .error, .drop, .number, .text: return false
    }
  }

  /// Takes up what needs no fitting, and notes what to collect next.
  private mutating func advance(_ index: Int) {
    estimates[index] = .nothing
    let column = pipeline.columns[index]
    guard column.isFeature else { return }
    if lacksFill(index) {
      switch column.missing {
      case .median: estimates[index] = .quantiles([QuantileSearch([0.5])])
      case .mean: estimates[index] = .moments([ExactMoments()])
      default: estimates[index] = .counts(ValueCounts())
      }
      return
    }
    while columns[index].transformations.count < column.transformations.count {
      let next = column.transformations[columns[index].transformations.count]
      let width = columns[index].names("").count
      switch next {
      case .log(let offset): columns[index].transformations.append(.log(offset: offset))
      case .clip(let minimum, let maximum):
        columns[index].transformations.append(
          .clip(
            minima: [Double](repeating: minimum ?? -.infinity, count: width),
            maxima: [Double](repeating: maximum ?? .infinity, count: width)))
      case .hashed(let buckets): columns[index].transformations.append(.hashed(buckets: buckets))
      case .dateParts(let parts): columns[index].transformations.append(.dateParts(parts))
      case .polynomial(let degree): columns[index].transformations.append(.polynomial(degree: degree))
      case .ordinal(let order?): columns[index].transformations.append(.ordinal(categories: order))
      case .clipQuantiles(let lower, let upper):
        estimates[index] = .quantiles((0..<width).map { _ in QuantileSearch([lower, upper]) })
      case .robust: estimates[index] = .quantiles((0..<width).map { _ in QuantileSearch([0.25, 0.5, 0.75]) })
      case .standardize, .minMax: estimates[index] = .moments((0..<width).map { _ in ExactMoments() })
      case .oneHot, .ordinal(nil): estimates[index] = .counts(ValueCounts())
      }
      if estimates[index] != .nothing { return }
    }
  }

  /// Makes what was collected the fill or the next transformation of a column.
  private mutating func take(_ estimate: Estimate, _ index: Int) throws(PreparationError) {
    if lacksFill(index) {
      columns[index].fill = try fill(estimate, index)
      return
    }
    let transformation = pipeline.columns[index].transformations[columns[index].transformations.count]
    columns[index].transformations.append(try fitted(transformation, estimate, index))
  }

  private func fill(_ estimate: Estimate, _ index: Int) throws(PreparationError) -> FittedColumn.Fill {
    switch estimate {
    case .moments(let moments) where moments[0].count > 0: return .number(moments[0].mean)
    case .quantiles(let searches) where searches[0].count > 0: return .number(searches[0].values[0])
    case .counts(let counts):
      try check(counts, index)
      if let text = counts.mostFrequentText { return .text(text) }
      if let number = counts.mostFrequentNumber { return .number(number) }
    case .nothing, .moments, .quantiles: break
    }
    throw PreparationError(
      .invalid, "column \(quoted(pipeline.columns[index].name)) has no value in any training row to fill with",
      hint: "a constant, or \"ignore\" in the recipe")
  }

  private func fitted(
    _ transformation: Transformation, _ estimate: Estimate, _ index: Int
  ) throws(PreparationError) -> FittedTransformation {
    switch (transformation, estimate) {
    case (.standardize, .moments(let moments)):
      return .scale(
        centers: moments.map { $0.count > 0 ? $0.mean : 0 }, scales: moments.map { Self.divisor($0.deviation()) })
    case (.minMax(let lower, let upper), .moments(let moments)):
      return .minMax(
        minima: moments.map { $0.count > 0 ? $0.minimum : 0 }, maxima: moments.map { $0.count > 0 ? $0.maximum : 0 },
        lower: lower, upper: upper)
    case (.robust, .quantiles(let searches)):
      let values = searches.map { $0.count > 0 ? $0.values : [0, 0, 0] }
      return .scale(centers: values.map { $0[1] }, scales: values.map { Self.divisor($0[2] - $0[0]) })
    case (.clipQuantiles, .quantiles(let searches)):
      let values = searches.map { $0.count > 0 ? $0.values : [-Double.infinity, .infinity] }
      return .clip(minima: values.map { $0[0] }, maxima: values.map { $0[1] })
    case (.oneHot(let dropFirst), .counts(let counts)):
      return .oneHot(categories: try categories(counts, index), dropFirst: dropFirst)
    case (.ordinal, .counts(let counts)): return .ordinal(categories: try categories(counts, index))
    default: preconditionFailure("\(transformation.name) of '\(pipeline.columns[index].name)' from another estimate")
    }
  }

  /// What a column is divided by: 1 where it does not vary (by more than makes a 32-bit number of the quotient).
  private static func divisor(_ spread: Double) -> Double {
    spread.isFinite && spread > 0 && (1 / Float(spread)).isFinite ? spread : 1
  }

  /// The categories of the training rows, and what missing ones are filled with.
  private func categories(_ counts: ValueCounts, _ index: Int) throws(PreparationError) -> [String] {
    try check(counts, index)
    var counts = counts
    if case .text(let text) = columns[index].fill { counts.add(text) }
    return counts.sortedTexts
  }

  private func check(_ counts: ValueCounts, _ index: Int) throws(PreparationError) {
    guard counts.isOver else { return }
    throw PreparationError(
      .invalid,
      "column \(quoted(pipeline.columns[index].name)) has more than \(ValueCounts.most) different values: too many to count"
    )
  }
}
