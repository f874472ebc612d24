/// What the rows of a source are written in.
public enum SourceFormat: String, CaseIterable, Sendable {
  case csv
  case jsonLines = "jsonl"
  case hdf5

  private static let endings: [(ending: String, format: SourceFormat)] = [
    (".csv", .csv), (".csv.gz", .csv), (".tsv", .csv), (".jsonl", .jsonLines), (".ndjson", .jsonLines), (".h5", .hdf5),
    (".hdf5", .hdf5),
  ]

  /// The format that the name of a file stands for; nil where it stands for none.
  init?(ofName name: String) {
    let name = name.lowercased()
    guard let found = Self.endings.first(where: { name.hasSuffix($0.ending) }) else { return nil }
    self = found.format
  }
}
