internal import Failures
public import MPI

extension Preparer {
  /// Reads all inputs and says what they hold and what would be made of them; writes nothing. Collective.
  ///
  /// - Parameter progress: called with what this rank has done.
  /// - Throws: `PreparationError`, the same on every rank, where the inputs are no table; or `MPIError`.
  public func plan(on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void) throws
    -> PreparationPlan
  {
    try request.checkInputs()
    if let recipe { return try plan(recipe, on: ranks, progress: progress) }
    let tables = try InputTables(request, on: ranks)
    let target = request.target.isEmpty ? nil : request.target
    let table = try RawTable(
      tables, missing: request.missingValues, target: target, completeOnly: request.missing == .drop, ranks,
      progress: progress)
    let schema = try table.profile.schema { _ in nil }
    var plan = PreparationPlan(table, schema)
    guard let scan = table.target else { return plan }
    do throws(PreparationError) {
      plan.output = try output(scan, table, schema)
    } catch {
      plan.problem = error
    }
    return plan
  }

  private func plan(
    _ recipe: Recipe, on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void
  ) throws -> PreparationPlan {
    let (source, table) = try source(recipe, on: ranks, progress: progress)
    var plan = PreparationPlan(table, source.schema)
    let target = recipe.target ?? request.target
    let pipeline = try Agreement.alike {
      try Pipeline(recipe, schema: source.schema, target: target.isEmpty ? nil : target)
    }
    plan.featureColumns = pipeline.columns.filter(\.isFeature).map(\.name)
    guard !target.isEmpty else { return plan }
    do {
      plan.output = try TablePreparer(source, pipeline, request, progress: progress).plan(ranks)
    } catch let failure as Failure where failure.isShared {
      // It stands in the way of the data set, not of what is said of the columns.
      let kind = PreparationError.Kind.allCases.first { $0.exitCode == failure.code.rawValue } ?? .io
      plan.problem = PreparationError(kind, failure.message, hint: failure.hint)
    }
    return plan
  }

  private func output(_ scan: TargetScan, _ table: RawTable, _ schema: Schema) throws(PreparationError)
    -> PreparationPlan.Output
  {
    let features = schema.columns.filter { $0.name != request.target }
    let others = features.filter { $0.type != .integer && $0.type != .real }.map(\.name)
    guard others.isEmpty else {
      throw PreparationError(
        .invalid,
        "\(others.count == 1 ? "column" : "columns") \(others.map { quoted($0) }.joined(separator: ", ")): features must be numbers",
        hint: "a recipe says what is made of others, or that they are ignored: --recipe prepare.json"
      )
    }
    let complete = table.profile.completeRows
    let lacking = table.profile.rows - complete
    guard lacking == 0 || request.missing == .drop else {
      throw PreparationError(
        .invalid, "\(lacking) of \(table.profile.rows) rows lack a value", hint: "--missing drop leaves such rows out")
    }
    guard complete > 0 else { throw nothingLeft(lacking, table.tables) }
    try request.fractions.check()
    let decision = try scan.decide(request.task) { locate($0, table.tables) }
    let split = Split(
      strata: decision.target.strata(rows: scan.rows), fractions: request.fractions, seed: request.seed)
    let plans = try ShardPlan.plan(
      split.rows, fractions: request.fractions, asked: request.shards, rowBytes: 4 * (features.count + 1))
    return PreparationPlan.Output(
      decision: decision.reason, rows: complete, droppedRows: lacking, features: features.count,
      classes: decision.target.names,
      splits: plans.map { PreparationPlan.Split(name: $0.split, rows: $0.rows, shards: $0.shards) })
  }
}
