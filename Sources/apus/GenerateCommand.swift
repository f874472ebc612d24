import Data
import Files
import MPI
import Preparation
import Text
import Watch

/// `apus generate`: synthetic data sets of any size, straight into shards.
struct GenerateCommand: WatchedCommand {
  static let syntax = Syntax(
    name: "generate", summary: "make a synthetic data set of HDF5 shards, on all ranks",
    positionals: [Positional("KIND", "linear, logistic, blobs, or teacher (a random network)")],
    options: [
      Option("--rows", value: "NUMBER", isRequired: true, "rows of all splits together"),
      Option("--columns", value: "NUMBER", isRequired: true, "features"),
      Option("--output", value: "DIR", isRequired: true, "directory of the data set"),
      Option("--classes", value: "NUMBER", "classes: 2 for logistic, 3 for blobs, none for teacher otherwise"),
      Option("--hidden", value: "NUMBER", "hidden units of a teacher (default 32)"),
      Option(
        "--noise", value: "NUMBER",
        "deviation of values (default 0.1) and in blobs (1); else share of random labels (0)"),
      Option("--missing", value: "SHARE", "share of the feature values that are missing (default 0)"),
      Option("--drift", value: "KIND", "the relation of features and target changes: abrupt or gradual"),
      Option("--drift-row", value: "ROW", "where it changes, or the middle of the change (default half of the rows)"),
      Option("--drift-width", value: "ROWS", "rows that a gradual change takes (default a tenth of the rows)"),
      Option("--validation", value: "FRACTION", "share of the rows for the split validation (default 0)"),
      Option("--test", value: "FRACTION", "share of the rows for the split test (default 0.2)"),
      Option("--seed", value: "NUMBER", "what all numbers are drawn from (default 1)"),
      Option("--shards", value: "NUMBER", "shards of the training split; otherwise as many as have 32 MiB at most"),
      Option("--compress", "compress the shards (shuffle and deflate)"),
      Option("--overwrite", "replace the data set that is in the directory"), watchdogOption,
    ],
    notes: """
      The splits follow each other, as in time: training first, test last. dataset.json has the parameters that
      the rows were made by. The same options make the same bytes on any number of ranks.
      """,
    examples: [
      "apus generate logistic --rows 100000 --columns 20 --output shards",
      "mpirun -n 4 apus generate teacher --rows 1e9 --columns 100 --classes 10 --drift gradual --output stream",
    ])

  private let request: GenerationRequest
  let deadlines: Deadlines

  init(_ arguments: Arguments) throws {
    func number<Number: LosslessStringConvertible>(_ option: String, _ what: String) throws -> Number? {
      try arguments.number(option, what, Self.syntax)
    }
    let name = arguments.positionals[0]
    guard let kind = GeneratorKind(rawValue: name) else {
      throw UsageError.unknown("kind", name, among: GeneratorKind.allCases.map(\.rawValue), of: Self.syntax)
    }
    let rows = try Self.count(arguments, "--rows") ?? 0
    var request = GenerationRequest(
      kind, rows: rows, columns: try Self.count(arguments, "--columns") ?? 0, output: arguments.value("--output") ?? "")
    request.classes = try number("--classes", "a whole number")
    request.hidden = try number("--hidden", "a whole number") ?? request.hidden
    request.noise = try number("--noise", "a number")
    request.missing = try number("--missing", "a share") ?? request.missing
    if let kind: Drift.Kind = try arguments.choice("--drift", Self.syntax) {
      request.drift = Drift(
        kind, row: try Self.count(arguments, "--drift-row") ?? rows / 2,
        width: try Self.count(arguments, "--drift-width") ?? max(1, rows / 10))
    } else if let option = ["--drift-row", "--drift-width"].first(where: arguments.has) {
      throw UsageError("\(option) needs --drift", syntax: Self.syntax)
    }
    request.fractions = SplitFractions(
      validation: try number("--validation", "a fraction") ?? request.fractions.validation,
      test: try number("--test", "a fraction") ?? request.fractions.test)
    request.seed = try number("--seed", "a whole number") ?? request.seed
    request.shards = try number("--shards", "a whole number")
    request.compress = arguments.has("--compress")
    request.overwrite = arguments.has("--overwrite")
    self.request = request
    deadlines = try Self.deadlines(arguments)
  }

  /// A count, which may be written as 1e9.
  private static func count(_ arguments: Arguments, _ option: String) throws -> Int? {
    guard let text = arguments.value(option) else { return nil }
    guard let count = Int(text) ?? Double(text).flatMap({ Int(exactly: $0) }) else {
      throw UsageError("\(option) needs a whole number, not '\(text)'", syntax: syntax)
    }
    return count
  }

  var writtenPath: String { request.output }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    let meter = ProgressMeter()
    defer { meter.end() }
    let isSpeaker = world.rank == 0
    let summary = try Generator(request).run(world) { made, total in
      Pulse.enter(.start)
      if isSpeaker { meter.show("writing", part: made, of: total, rows: made) }
    }
    meter.end()
    if isSpeaker { StandardStream.output.write(text(summary)) }
    return 0
  }

  private func text(_ summary: Generator.Summary) -> String {
    let target = request.classes.map { "\($0) classes" }
    return
      "\(request.kind.rawValue): \(grouped(request.rows)) rows of \(request.columns) features\(target.map { ", \($0)" } ?? "")\n"
      + splitTable(summary.splits.map { ($0.name, $0.rows, $0.shards.count) })
      + "\(Text.bytes(summary.bytesWritten)) written in \(duration(summary.seconds)): \(request.output)\n"
  }
}

/// The splits of a data set with their rows and shards.
func splitTable(_ splits: [(name: String, rows: Int, shards: Int)]) -> String {
  var table = Table([Table.Column("split"), Table.Column("rows", .right), Table.Column("shards", .right)])
  for split in splits { table.append([split.name, grouped(split.rows), grouped(split.shards)]) }
  return table.rendered()
}
