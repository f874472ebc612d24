import Foundation
import TestSupport
import Testing

/// What `apus prepare --dry-run` says of the columns of tables, compared with what pandas finds in them.
@Suite(.enabled(if: Python.isAvailable)) struct PandasProfileTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("pandas") }

  /// Compares every number of the plan with pandas and prints the differences.
  ///
  /// Pandas' sums round where ours are exact, which is what the bounds are for; counts, extremes and types have to be equal.
  private static let comparison = """
    import json, math, re, sys
    import pandas
    wrong = []
    for case in json.load(sys.stdin):
        plan, table, options = json.load(open(case["plan"])), case["table"], json.loads(case["options"])
        options.setdefault("keep_default_na", False)
        missing = ["", "NA", "N/A", "NaN", "nan", "null"] + options.pop("na_values", [])
        # The parser of numbers that rounds to the nearest, as ours does.
        data = pandas.read_csv(table, na_values=missing, float_precision="round_trip" if "decimal" not in options and "thousands" not in options else None, **options)
        texts = pandas.read_csv(table, na_values=missing, dtype=str, **{k: v for k, v in options.items() if k not in ("decimal", "thousands")})
        def check(what, found, expected, bound=0.0):
            same = found == expected or (None not in (found, expected) and bound and abs(found - expected) <= bound)
            if not same: wrong.append(f"{case['name']}, {what}: {found}, pandas says {expected}")
        check("rows", plan["rows"], len(data))
        check("columns", [c["name"] for c in plan["columns"]], [f"x{i + 1}" if options.get("header", 0) is None else str(c) for i, c in enumerate(data.columns)])
        for place, column in enumerate(plan["columns"]):
            name, series, text = column["name"], data.iloc[:, place], texts.iloc[:, place].dropna().str.strip()
            check(f"{name} missing", column["missing"], int(series.isna().sum()))
            check(f"{name} values", column["values"], int(series.notna().sum()))
            check(f"{name} different", column["different"], int((series if not pandas.api.types.is_string_dtype(series) else text).nunique()))
            if pandas.api.types.is_bool_dtype(series):
                check(f"{name} type", column["type"], "boolean")
            elif pandas.api.types.is_numeric_dtype(series):
                thousands = re.escape(options.get("thousands", "")) if options.get("thousands") else ""
                whole = text.str.fullmatch(rf"[+-]?[0-9{thousands}]+").all()
                check(f"{name} type", column["type"], "integer" if whole else "real")
                # Real numbers with decimal commas go through pandas' other parser, which may miss the last bit.
                ulp = 0 if "decimal" not in options and "thousands" not in options else 1e-15 * abs(series.abs().max())
                check(f"{name} minimum", column["minimum"], float(series.min()), ulp)
                check(f"{name} maximum", column["maximum"], float(series.max()), ulp)
                spread = float(series.abs().max())
                check(f"{name} mean", column["mean"], float(series.mean()), 1e-13 * spread)
                check(f"{name} deviation", column["deviation"], float(series.std()), 1e-12 * spread)
            else:
                when = pandas.to_datetime(text, format="ISO8601", errors="coerce")
                expected = "date_time" if when.notna().all() else None
                if expected: check(f"{name} type", column["type"], expected)
                else: check(f"{name} is text", column["type"] in ("category", "text"), True)
    print(json.dumps(wrong))
    """

  /// What `apus prepare` says of a table, and how pandas reads it.
  private struct Case: Encodable {
    var name: String
    var plan: String
    var table: String
    var options = "{}"
  }

  /// The plan for a table.
  private func plan(
    _ name: String, _ table: String, _ options: [String] = [], pandas: String = "{}", ranks: Int
  ) throws -> Case {
    let plan = try CommandLineRun.succeed(
      ["prepare", table, "--dry-run", "--json"] + options, ranks: ranks, in: folder)
    try folder.write(text: plan.standardOutput, to: "\(name).json")
    return Case(name: name, plan: "\(name).json", table: table, options: pandas)
  }

  /// All at once: pandas takes longer to start than to compare.
  private func expectAgreement(_ cases: [Case], sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let wrong: [String] = try Python.value(
      Self.comparison, json: cases, workingDirectory: folder.path)
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))", sourceLocation: sourceLocation)
  }

  @Test func realTables() throws {
    try expectAgreement(
      ["digits.csv", "diabetes.csv", "penguins.csv", "diamonds.csv.gz", "electricity.csv.gz"].map {
        name in
        let folder = name.split(separator: ".")[0]
        return try plan(
          name, PackageRoot.file("Datasets/\(folder)/\(name)"),
          ranks: name == "penguins.csv" ? 3 : 2)
      })
  }

  /// A table with a column of every type, with holes, and with texts that hold whatever a dialect gives a meaning.
  private static let generator = """
    import csv, gzip, json, random, sys
    for settings in json.load(sys.stdin):
        delimiter, quote, decimal = settings.get("delimiter", ","), settings.get("quote", '"'), settings.get("decimal", ".")
        thousands, comment, end = settings.get("thousands"), settings.get("comment"), settings.get("end", "\\n")
        random.seed(settings.get("seed", 1))
        def real(value): return repr(value).replace(".", decimal)
        def whole(value): return f"{value:,}".replace(",", thousands) if thousands else str(value)
        nasty = ["plain", f"with {delimiter} in it", f"a {quote}quoted{quote} word", "two" + end + "lines", "Ünïcode 🐦", "word"]
        rows = []
        for row in range(settings.get("rows", 1200)):
            line = [
                whole(random.randint(-10**7, 10**7)), real(random.gauss(0, 1)), real(1e6 + random.random()), real(random.random() * 10.0 ** random.randint(-9, 9)).replace("e", "E") if row % 2 else real(float(row)),
                random.choice(["true", "false"]), random.choice(nasty), f"{1900 + row % 150}-{1 + row % 12:02}-{1 + row % 28:02}",
                f"name {row} {'x' * (row % 17)}", whole(random.randint(0, 9)),
            ]
            for column in (0, 1, 2, 5, 8):
                if random.random() < 0.1: line[column] = random.choice(settings.get("missing", ["", "NA", "nan", "null"]))
            rows.append(line)
        header = ["count", "normal", "shifted", "wide", "flag", "kind", "day", "name", "digit"]
        path = settings["path"]
        with open(path, "w", encoding="utf-8-sig" if settings.get("mark") else "utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=csv.QUOTE_ALL if settings.get("all") else csv.QUOTE_MINIMAL)
            if not settings.get("bare"): writer.writerow(header)
            for index, line in enumerate(rows):
                if comment and index % 10 == 3: file.write(f"{comment} a comment{delimiter} with {quote} in it{end}")
                writer.writerow(line)
        gzip.open(path + ".gz", "wb").write(open(path, "rb").read())
    """

  private struct Dialect: Sendable {
    var name: String
    /// What the table is made with.
    var table: String
    var options: [String] = []
    /// The arguments of `read_csv`.
    var pandas = "{}"
  }

  private static let dialects = [
    Dialect(name: "comma", table: "{}"),
    Dialect(name: "everything in quotes", table: #"{"all": true}"#),
    Dialect(name: "semicolon", table: #"{"delimiter": ";"}"#, pandas: #"{"sep": ";"}"#),
    Dialect(name: "tab", table: #"{"delimiter": "\t"}"#, pandas: #"{"sep": "\t"}"#),
    Dialect(name: "bar", table: #"{"delimiter": "|"}"#, pandas: #"{"sep": "|"}"#),
    // With "=", since mpirun takes a word ":" for the end of a program's arguments.
    Dialect(
      name: "colon", table: #"{"delimiter": ":"}"#, options: ["--delimiter=:"],
      pandas: #"{"sep": ":"}"#),
    Dialect(
      name: "single quotes", table: #"{"quote": "'"}"#, options: ["--quote", "'"],
      pandas: #"{"quotechar": "'"}"#),
    Dialect(
      name: "decimal comma", table: #"{"delimiter": ";", "decimal": ","}"#,
      options: ["--decimal", ","],
      pandas: #"{"sep": ";", "decimal": ","}"#),
    Dialect(
      name: "decimal comma and thousands",
      table: #"{"delimiter": ";", "decimal": ",", "thousands": "."}"#,
      options: ["--decimal", ",", "--thousands", "."],
      pandas: #"{"sep": ";", "decimal": ",", "thousands": "."}"#),
    Dialect(
      name: "thousands", table: #"{"delimiter": ";", "thousands": ","}"#,
      options: ["--thousands", ","],
      pandas: #"{"sep": ";", "thousands": ","}"#),
    Dialect(
      name: "no header", table: #"{"bare": true}"#, options: ["--no-header"],
      pandas: #"{"header": null}"#),
    Dialect(name: "byte order mark and CRLF", table: ##"{"mark": true, "end": "\r\n"}"##),
    Dialect(
      name: "words for missing", table: #"{"missing": ["?", "-", "unknown"]}"#,
      options: ["--missing-value", "?", "--missing-value", "-", "--missing-value", "unknown"],
      pandas: #"{"na_values": ["?", "-", "unknown"]}"#),
  ]

  /// Makes a table for each of the settings.
  private func generate(_ settings: [[String: Any]]) throws {
    let text = String(decoding: try JSONSerialization.data(withJSONObject: settings), as: UTF8.self)
    try Python.text(Self.generator, input: text, workingDirectory: folder.path)
  }

  @Test func generatedTables() throws {
    let names = Self.dialects.indices.map { "table-\($0).csv" }
    try generate(
      try zip(names, Self.dialects).map { name, dialect in
        var settings = try #require(
          JSONSerialization.jsonObject(with: Data(dialect.table.utf8)) as? [String: Any])
        settings["path"] = name
        return settings
      })
    var cases: [Case] = []
    for (index, dialect) in Self.dialects.enumerated() {
      // Compressed ones too: each of them is read by one rank.
      let isCompressed = index % 3 == 1
      cases.append(
        try plan(
          dialect.name, names[index] + (isCompressed ? ".gz" : ""), dialect.options,
          pandas: dialect.pandas,
          ranks: isCompressed ? 2 : 3))
    }
    try expectAgreement(cases)
  }

  /// Pandas reads comments only from where they begin, also within lines, so that its own table is made without them.
  @Test func comments() throws {
    try generate([["path": "plain.csv"], ["path": "commented.csv", "comment": "#"]])
    var commented = try plan("commented", "commented.csv", ["--comment", "#"], ranks: 2)
    commented.table = "plain.csv"
    try expectAgreement([commented])
  }
}
