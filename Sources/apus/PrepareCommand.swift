import Data
import Failures
import Files
import JSON
import MPI
import Preparation
import Text
import Watch

/// `apus prepare`: CSV files, or the rows of other HDF5 files, become a data set of HDF5 shards.
struct PrepareCommand: WatchedCommand {
  static let syntax = Syntax(
    name: "prepare", summary: "make a data set of HDF5 shards from CSV or HDF5 files",
    positionals: [
      Positional("CSV", repeats: true, isRequired: false, "CSV files with the same columns, also compressed with gzip")
    ],
    options: [
      Option("--recipe", value: "FILE", "what to make of the columns: a prepare.json (JSON5)"),
      Option("--from", value: "DATA", "take the rows of a data set or of any HDF5 files, in the place of CSV files"),
      Option("--trusted", "HDF5 files may lead to other files: by links, external storage, virtual data sets"),
      Option("--target", value: "COLUMN", "column to predict; all others are features"),
      Option("--output", value: "DIR", "directory of the data set"),
      Option("--task", value: "TASK", "classification or regression; found out from the target otherwise"),
      Option("--validation", value: "FRACTION", "share of the rows for the split validation (default 0)"),
      Option("--test", value: "FRACTION", "share of the rows for the split test (default 0.2)"),
      Option("--seed", value: "NUMBER", "what the split is drawn from (default 1)"),
      Option("--sample", value: "SIZE", "take rows at random: so many, as 10000, or a part of them, as 0.1 or 10%"),
      Option("--sample-by", value: "COLUMN", "draw the sample from the rows of each value of a column by itself"),
      Option("--sample-weight", value: "COLUMN", "draw the sample with chances by a column of numbers"),
      Option("--standardize", "bring each feature to mean 0 and deviation 1, fitted on the training split"),
      Option("--missing", value: "POLICY", "what to do with rows that lack a value: error or drop (default error)"),
      Option("--missing-value", value: "TEXT", repeats: true, "text that means no value, beside NA, N/A, nan and null"),
      Option("--delimiter", value: "CHARACTER", "character between fields, or tab; found out otherwise"),
      Option("--quote", value: "CHARACTER", "character around fields, or none (default \")"),
      Option("--decimal", value: "CHARACTER", "character before the decimals of numbers (default .)"),
      Option("--thousands", value: "CHARACTER", "character between groups of three digits"),
      Option("--comment", value: "CHARACTER", "pass over lines that start with this character"),
      Option("--no-header", "the first line is a row; the columns are x1, x2 and so on"),
      Option("--shards", value: "NUMBER", "shards of the training split; one for about 32 MiB otherwise"),
      Option("--chunk-rows", value: "NUMBER", "rows of a chunk in the shards; about 1 MiB otherwise"),
      Option("--compress", "compress the shards (shuffle and deflate)"),
      Option("--append", "add the rows to the data set in the directory, prepared as its own rows were"),
      Option("--overwrite", "replace the data set that is in the directory"),
      Option("--dry-run", "print what the columns hold and the plan, and write nothing"),
      Option("--json", "print the plan as JSON"),
      Option("--count-by", value: "COLUMN[,...]", "count the rows by the values of columns, and write nothing"),
      Option("--aggregate", value: "WHAT:COLUMN", repeats: true, "mean, sum, min or max of a column, for each count"),
      Option("--format", value: "FORMAT", "how counts are printed: table, csv or json (default table)"),
      watchdogOption,
    ],
    examples: [
      "apus prepare flowers.csv --target species --output flowers --standardize --test 0.2",
      "mpirun -n 4 apus prepare 'part-1.csv' 'part-2.csv' --target price --output houses",
      "apus prepare flowers.csv --target species --dry-run",
      "apus prepare flowers.csv --count-by species,colour --aggregate mean:petals --format csv",
      "apus prepare more-flowers.csv --append --output flowers",
      "mpirun -n 4 apus prepare --from flowers --shards 16 --compress --output flowers-16",
    ])

  private let request: PreparationRequest
  private let recipePath: String?
  /// What options say in the place of the recipe.
  private let overrides: [(key: String, value: JSONValue)]
  private let isDry: Bool
  let deadlines: Deadlines
  /// The rows are added to a data set.
  private let appends: Bool
  private let wantsJSON: Bool
  /// HDF5 files to take the rows of; nil for CSV files.
  private let source: DataSource?
  /// The groups to count; nil to prepare.
  private let count: GroupCount?
  private let format: GroupReport.Format

  init(_ arguments: Arguments) throws {
    func number<Number: LosslessStringConvertible>(_ option: String, _ what: String) throws -> Number? {
      try arguments.number(option, what, Self.syntax)
    }
    var request = PreparationRequest(
      inputs: arguments.positionals, target: arguments.value("--target") ?? "",
      output: arguments.value("--output") ?? "")
    if let task: TargetTask = try arguments.choice("--task", Self.syntax) { request.task = task }
    if let missing: MissingPolicy = try arguments.choice("--missing", Self.syntax) { request.missing = missing }
    request.fractions = SplitFractions(
      validation: try number("--validation", "a fraction") ?? request.fractions.validation,
      test: try number("--test", "a fraction") ?? request.fractions.test)
    if let seed: Int = try number("--seed", "a whole number") { request.seed = seed }
    request.sample = try arguments.sample(Self.syntax)
    request.shards = try number("--shards", "a whole number")
    request.delimiter = try Self.mark("--delimiter", arguments)
    request.missingValues = MissingValue(arguments.values("--missing-value"))
    request.dialect = try Self.dialect(arguments)
    request.standardize = arguments.has("--standardize")
    request.chunkRows = try number("--chunk-rows", "a whole number")
    request.compress = arguments.has("--compress")
    request.overwrite = arguments.has("--overwrite")
    self.request = request
    recipePath = arguments.value("--recipe")
    overrides = Self.overrides(request, arguments)
    guard recipePath == nil || !arguments.has("--standardize") else {
      throw UsageError("--standardize says too little for a recipe, which standardizes by column", syntax: Self.syntax)
    }
    isDry = arguments.has("--dry-run")
    deadlines = try Self.deadlines(arguments)
    appends = arguments.has("--append")
    try Self.checkAppend(arguments)
    wantsJSON = arguments.has("--json")
    guard isDry || !wantsJSON else { throw UsageError("--json goes with --dry-run", syntax: Self.syntax) }
    source = arguments.value("--from").map { DataSource(path: $0, isTrusted: arguments.has("--trusted")) }
    count = try Self.count(arguments)
    format = try arguments.choice("--format", Self.syntax) ?? .table
    try Self.checkInputs(arguments)
    let needed = recipePath == nil && source == nil && !appends ? ["--target", "--output"] : ["--output"]
    guard !isDry, count == nil else { return }
    for option in Self.syntax.options where needed.contains(option.name) && !arguments.has(option.name) {
      throw UsageError("\(option.name) \(option.value ?? "") is missing: \(option.summary)", syntax: Self.syntax)
    }
  }

  /// Throws where options contradict what the data set that rows are added to says.
  private static func checkAppend(_ arguments: Arguments) throws {
    let foreign = [
      "--recipe", "--from", "--target", "--task", "--validation", "--test", "--seed", "--standardize", "--overwrite",
      "--dry-run", "--count-by",
    ]
    guard arguments.has("--append"), let option = foreign.first(where: arguments.has) else { return }
    throw UsageError("\(option) does not go with --append, which does as the data set says", syntax: syntax)
  }

  /// The groups that --count-by and --aggregate ask for.
  private static func count(_ arguments: Arguments) throws -> GroupCount? {
    func names(_ text: String) -> [String] {
      text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard let by = arguments.value("--count-by") else {
      if let option = ["--aggregate", "--format"].first(where: arguments.has) {
        throw UsageError("\(option) goes with --count-by", syntax: syntax)
      }
      return nil
    }
    guard !arguments.has("--sample") else {
      throw UsageError("--sample does not go with --count-by, which counts all rows", syntax: syntax)
    }
    var aggregates: [Aggregate] = []
    for text in arguments.values("--aggregate") {
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw UsageError("--aggregate needs a function and a column, as mean:price, not '\(text)'", syntax: syntax)
      }
      guard let function = Aggregate.Function(rawValue: parts[0]) else {
        let all = Aggregate.Function.allCases.map(\.rawValue)
        throw UsageError.unknown("function for --aggregate:", parts[0], among: all, of: syntax)
      }
      aggregates.append(Aggregate(function, of: parts[1]))
    }
    return GroupCount(by: names(by), aggregates: aggregates)
  }

  /// Throws where the inputs are missing, or where options contradict them.
  private static func checkInputs(_ arguments: Arguments) throws {
    guard arguments.has("--from") else {
      guard arguments.positionals.isEmpty else { return }
      throw UsageError("CSV is missing: CSV files with the same columns", syntax: syntax)
    }
    guard arguments.positionals.isEmpty else {
      throw UsageError("--from takes the place of CSV files such as '\(arguments.positionals[0])'", syntax: syntax)
    }
    let foreign = [
      "--dry-run", "--standardize", "--missing-value", "--delimiter", "--quote", "--decimal", "--thousands",
      "--comment",
      "--no-header",
    ]
    if let option = foreign.first(where: arguments.has) {
      throw UsageError("\(option) is for CSV files, and --from reads HDF5", syntax: syntax)
    }
  }

  /// The keys of a recipe that options take the place of.
  private static func overrides(
    _ request: PreparationRequest, _ arguments: Arguments
  ) -> [(key: String, value: JSONValue)] {
    var (rows, fraction) = (JSONValue.null, JSONValue.null)
    switch request.sample?.size {
    case .rows(let number): rows = .integer(number)
    case .fraction(let part): fraction = .number(part)
    case nil: break
    }
    let values: [(option: String, key: String, value: JSONValue)] = [
      ("--target", "target", .string(request.target)), ("--task", "task", .string(request.task.rawValue)),
      ("--missing", "defaults.missing", .string(request.missing.rawValue)),
      ("--missing-value", "missing_values", .array(arguments.values("--missing-value").map { JSONValue.string($0) })),
      ("--validation", "split.validation", .number(request.fractions.validation)),
      ("--test", "split.test", .number(request.fractions.test)), ("--seed", "split.seed", .integer(request.seed)),
      ("--sample", "sample.rows", rows), ("--sample", "sample.fraction", fraction),
      ("--sample-by", "sample.by", .string(request.sample?.by ?? "")),
      ("--sample-weight", "sample.weight", .string(request.sample?.weight ?? "")),
      // Beside a recipe the option is refused.
      ("--standardize", "defaults.numbers", "standardize"),
    ]
    return values.filter { arguments.has($0.option) }.map { ($0.key, $0.value) }
  }

  /// The recipe, which rank 0 reads for all. Collective.
  private func recipe(_ world: borrowing Communicator) throws -> Recipe? {
    // Samples are drawn where tables are prepared by a recipe.
    let isImplied = recipePath == nil && request.sample != nil && source == nil && !appends
    guard recipePath != nil || isImplied else { return nil }
    let bytes = try Agreement.fromRoot(world) { try recipePath.map { try Recipe.text(of: $0) } ?? Array("{}".utf8) }
    return try Agreement.alike {
      let recipe = try Recipe(parsing: bytes, source: recipePath ?? "the options", overrides: overrides)
      guard recipe.target != nil || isDry || count != nil || source != nil else {
        throw UsageError(
          "--target COLUMN is missing, and the recipe has no \"target\"", syntax: Self.syntax)
      }
      return recipe
    }
  }

  private static func dialect(_ arguments: Arguments) throws -> CSVDialect {
    var dialect = CSVDialect()
    dialect.hasHeader = !arguments.has("--no-header")
    dialect.quote = arguments.value("--quote") == "none" ? nil : try mark("--quote", arguments) ?? dialect.quote
    dialect.decimal = try mark("--decimal", arguments) ?? dialect.decimal
    dialect.thousands = try mark("--thousands", arguments)
    dialect.comment = try mark("--comment", arguments)
    return dialect
  }

  /// The one byte that an option names.
  private static func mark(_ option: String, _ arguments: Arguments) throws -> UInt8? {
    guard let text = arguments.value(option) else { return nil }
    if text == "tab" || text == "\\t" { return UInt8(ascii: "\t") }
    guard text.utf8.count == 1 else {
      throw UsageError("\(option) needs one ASCII character or tab, not '\(text)'", syntax: syntax)
    }
    return text.utf8.first
  }

  var writtenPath: String { request.output }

  /// That of the data set; of its input where nothing is written.
  var sharedDirectory: String {
    FileSystem.directory(of: request.output.isEmpty ? request.inputs.first ?? source?.path ?? "" : request.output)
  }

  /// All ranks prepare, and rank 0 speaks.
  func run(_ world: borrowing Communicator) throws -> Int32 {
    let meter = world.rank == 0 ? ProgressMeter() : nil
    defer { meter?.end() }
    let show = { (progress: PreparationProgress) in
      Pulse.enter(.start)
      meter?.show(progress)
    }
    let recipe = try recipe(world)
    let preparer = Preparer(request, recipe: recipe)
    let shards = source.map { ShardPreparation($0, recipe: recipe, request: request) }
    do {
      if isDry {
        let plan = try preparer.plan(on: world, progress: show)
        meter?.end()
        if world.rank == 0 { StandardStream.output.write(wantsJSON ? plan.json : plan.text) }
        if let problem = plan.problem { throw problem }
        return ExitCode.success.rawValue
      }
      if let count {
        let report =
          if let shards { try shards.groups(count, on: world, progress: show) } else {
            try preparer.groups(count, on: world, progress: show)
          }
        meter?.end()
        if world.rank == 0 { StandardStream.output.write(report.text(format)) }
        return ExitCode.success.rawValue
      }
      let summary =
        if appends { try TableAppending(request).run(on: world, progress: show) } else if let shards {
          try shards.run(on: world, progress: show)
        } else {
          try preparer.run(on: world, progress: show)
        }
      meter?.end()
      if world.rank == 0 { StandardStream.output.write(text(summary)) }
    } catch let error as PreparationError {
      // The same on every rank.
      var failure = error.failure
      failure.isShared = true
      throw failure
    }
    return ExitCode.success.rawValue
  }

  /// How fast all rows that were read, also those that were left out, have come.
  private func rates(_ summary: PreparationSummary) -> String {
    ProgressMeter.rates(
      rows: summary.rows + summary.droppedRows, bytes: summary.bytesRead, seconds: summary.seconds)
  }

  private func text(_ summary: PreparationSummary) -> String {
    let dropped = summary.changes.isEmpty ? "with missing values were dropped" : "were left out"
    var lines = [
      "\(summary.decision)",
      "\(grouped(summary.rows)) rows of \(summary.columns) features"
        + (summary.droppedRows > 0 ? "; \(grouped(summary.droppedRows)) rows \(dropped)" : ""),
    ]
    for missing in summary.missing {
      lines.append("  \(grouped(missing.rows)) for want of '\(missing.column)'")
    }
    for change in summary.changes { lines.append("  \(grouped(change.count)) \(change.what)") }
    return lines.joined(separator: "\n") + "\n"
      + splitTable(summary.splits.map { ($0.name.rawValue, $0.rows, $0.shards.count) })
      + "\(Text.bytes(summary.bytesRead)) read, \(Text.bytes(summary.bytesWritten)) written in \(duration(summary.seconds))"
      + " (\(rates(summary))): \(summary.output)\n"
  }
}
