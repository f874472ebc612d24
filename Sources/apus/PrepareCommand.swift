import Failures
import Files
import JSON
import MPI
import Preparation
import Text

/// `apus prepare`: CSV files become a data set of HDF5 shards.
struct PrepareCommand: Command {
  static let syntax = Syntax(
    name: "prepare", summary: "make a data set of HDF5 shards from CSV files",
    positionals: [Positional("CSV", repeats: true, "CSV files with the same columns")],
    options: [
      Option("--recipe", value: "FILE", "what to make of the columns: a prepare.json (JSON5)"),
      Option("--target", value: "COLUMN", "column to predict; all others are features"),
      Option("--output", value: "DIR", "directory of the data set"),
      Option("--task", value: "TASK", "classification or regression; found out from the target otherwise"),
      Option("--validation", value: "FRACTION", "share of the rows for the split validation (default 0)"),
      Option("--test", value: "FRACTION", "share of the rows for the split test (default 0.2)"),
      Option("--seed", value: "NUMBER", "what the split is drawn from (default 1)"),
      Option("--standardize", "bring each feature to mean 0 and deviation 1, fitted on the training split"),
      Option("--missing", value: "POLICY", "what to do with rows that lack a value: error or drop (default error)"),
      Option("--missing-value", value: "TEXT", repeats: true, "text that means no value, beside NA, N/A, nan and null"),
      Option("--delimiter", value: "CHARACTER", "character between fields, or tab; found out otherwise"),
      Option("--quote", value: "CHARACTER", "character around fields, or none (default \")"),
      Option("--decimal", value: "CHARACTER", "character before the decimals of numbers (default .)"),
      Option("--thousands", value: "CHARACTER", "character between groups of three digits"),
      Option("--comment", value: "CHARACTER", "pass over lines that start with this character"),
      Option("--no-header", "the first line is a row; the columns are x1, x2 and so on"),
      Option("--shards", value: "NUMBER", "shards of the training split; one for about 64 MiB otherwise"),
      Option("--compress", "compress the shards (shuffle and deflate)"),
      Option("--overwrite", "replace the data set that is in the directory"),
      Option("--dry-run", "print what the columns hold and the plan, and write nothing"),
      Option("--json", "print the plan as JSON"),
    ],
    examples: [
      "apus prepare flowers.csv --target species --output flowers --standardize --test 0.2",
      "mpirun -n 4 apus prepare 'part-1.csv' 'part-2.csv' --target price --output houses",
      "apus prepare flowers.csv --target species --dry-run",
    ])

  private let request: PreparationRequest
  private let recipePath: String?
  /// What options say in the place of the recipe.
  private let overrides: [(key: String, value: JSONValue)]
  private let isDry: Bool
  private let wantsJSON: Bool

  init(_ arguments: Arguments) throws {
    func number<Number: LosslessStringConvertible>(_ option: String, _ what: String) throws -> Number? {
      guard let text = arguments.value(option) else { return nil }
      guard let number = Number(text) else {
        throw UsageError("\(option) needs \(what), not '\(text)'", syntax: Self.syntax)
      }
      return number
    }
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ option: String) throws -> Choice? {
      guard let text = arguments.value(option) else { return nil }
      guard let choice = Choice(rawValue: text) else {
        throw UsageError.unknown("value for \(option):", text, among: Choice.allCases.map(\.rawValue), of: Self.syntax)
      }
      return choice
    }
    var request = PreparationRequest(
      inputs: arguments.positionals, target: arguments.value("--target") ?? "",
      output: arguments.value("--output") ?? "")
    if let task: TargetTask = try choice("--task") { request.task = task }
    if let missing: MissingPolicy = try choice("--missing") { request.missing = missing }
    request.fractions = SplitFractions(
      validation: try number("--validation", "a fraction") ?? request.fractions.validation,
      test: try number("--test", "a fraction") ?? request.fractions.test)
    if let seed: Int = try number("--seed", "a whole number") { request.seed = seed }
    request.shards = try number("--shards", "a whole number")
    request.delimiter = try Self.mark("--delimiter", arguments)
    request.missingValues = MissingValue(arguments.values("--missing-value"))
    request.dialect = try Self.dialect(arguments)
    request.standardize = arguments.has("--standardize")
    request.compress = arguments.has("--compress")
    request.overwrite = arguments.has("--overwrite")
    self.request = request
    recipePath = arguments.value("--recipe")
    overrides = Self.overrides(request, arguments)
    guard recipePath == nil || !arguments.has("--standardize") else {
      throw UsageError("--standardize says too little for a recipe, which standardizes by column", syntax: Self.syntax)
    }
    isDry = arguments.has("--dry-run")
    wantsJSON = arguments.has("--json")
    guard isDry || !wantsJSON else { throw UsageError("--json goes with --dry-run", syntax: Self.syntax) }
    let needed = recipePath == nil ? ["--target", "--output"] : ["--output"]
    for option in needed where !isDry && arguments.value(option) == nil {
      throw UsageError("\(option) is missing", syntax: Self.syntax)
    }
  }

  /// The keys of a recipe that options take the place of.
  private static func overrides(
    _ request: PreparationRequest, _ arguments: Arguments
  ) -> [(key: String, value: JSONValue)] {
    let values: [(option: String, key: String, value: JSONValue)] = [
      ("--target", "target", .string(request.target)), ("--task", "task", .string(request.task.rawValue)),
      ("--missing", "defaults.missing", .string(request.missing.rawValue)),
      ("--missing-value", "missing_values", .array(arguments.values("--missing-value").map { JSONValue.string($0) })),
      ("--validation", "split.validation", .number(request.fractions.validation)),
      ("--test", "split.test", .number(request.fractions.test)), ("--seed", "split.seed", .integer(request.seed)),
    ]
    return values.filter { arguments.has($0.option) }.map { ($0.key, $0.value) }
  }

  /// The recipe, which rank 0 reads for all. Collective.
  private func recipe(_ world: borrowing Communicator) throws -> Recipe? {
    guard let recipePath else { return nil }
    let bytes = try Agreement.fromRoot(world) { try Recipe.text(of: recipePath) }
    return try Agreement.alike { try Recipe(parsing: bytes, source: recipePath, overrides: overrides) }
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

  /// All ranks prepare, and rank 0 speaks.
  func run(_ world: borrowing Communicator) throws -> Int32 {
    let meter = world.rank == 0 ? ProgressMeter() : nil
    defer { meter?.end() }
    let preparer = Preparer(request, recipe: try recipe(world))
    do {
      if isDry {
        let plan = try preparer.plan(on: world) { meter?.show($0) }
        meter?.end()
        if world.rank == 0 { StandardStream.output.write(wantsJSON ? plan.json : plan.text) }
        if let problem = plan.problem { throw problem }
        return ExitCode.success.rawValue
      }
      let summary = try preparer.run(on: world) { meter?.show($0) }
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

  private func text(_ summary: PreparationSummary) -> String {
    var lines = [
      "\(summary.decision)",
      "\(grouped(summary.rows)) rows of \(summary.columns) features"
        + (summary.droppedRows > 0 ? "; \(grouped(summary.droppedRows)) rows with missing values were dropped" : ""),
    ]
    for missing in summary.missing {
      lines.append("  \(grouped(missing.rows)) for want of '\(missing.column)'")
    }
    for change in summary.changes { lines.append("  \(grouped(change.count)) \(change.what)") }
    var table = Table([
      Table.Column("split"), Table.Column("rows", .right), Table.Column("shards", .right),
    ])
    for split in summary.splits {
      table.append([split.name.rawValue, grouped(split.rows), grouped(split.shards.count)])
    }
    let rate = summary.seconds > 0 ? Double(summary.bytesRead) / summary.seconds : 0
    return lines.joined(separator: "\n") + "\n" + table.rendered()
      + "\(Text.bytes(summary.bytesRead)) read, \(Text.bytes(summary.bytesWritten)) written in \(duration(summary.seconds))"
      + " (\(Text.bytes(Int(rate)))/s): \(summary.output)\n"
  }
}
