import Data
import Failures
import Files
import JSON
import Text

/// A data set with its `dataset.json`.
struct DatasetInspection: Inspection {
  /// Shards that a table for people names.
  private static let mostShards = 40

  private struct Shard {
    let split: String
    let file: String
    let rows: Int
    /// Nil where the file is missing.
    let bytes: Int?
  }

  private let directory: String
  private let manifest: DatasetManifest
  private let shards: [Shard]
  /// The data sets of the first shard that is there.
  private let stored: [(path: String, array: HDF5Contents.Array)]

  /// - Parameter path: of the `dataset.json`.
  init(_ path: String) throws {
    let directory = FileSystem.directory(of: path)
    manifest = try DatasetManifest.read(path)
    var shards: [Shard] = []
    for split in manifest.splits {
      for shard in split.shards {
        let status = try FileSystem.status(of: FileSystem.join(directory, shard.file))
        shards.append(Shard(split: split.name, file: shard.file, rows: shard.rows, bytes: status?.bytes))
      }
    }
    let first = shards.first { $0.bytes != nil && $0.rows > 0 } ?? shards.first { $0.bytes != nil }
    stored = try first.map { try HDF5Contents(FileSystem.join(directory, $0.file)).datasets } ?? []
    self.directory = directory
    self.shards = shards
  }

  private var missing: [Shard] { shards.filter { $0.bytes == nil } }

  /// A data set that lacks a file cannot be used.
  var code: ExitCode { missing.isEmpty ? .success : .missingInput }

  var text: String {
    var listing = Listing()
    listing.add("name", Listing.line(manifest.name))
    listing.add("rows", grouped(shards.reduce(0) { $0 + $1.rows }))
    listing.add("columns", Self.counted(manifest.columns))
    listing.add("target", target)
    for transformation in manifest.transformations { listing.add("transformation", Self.text(transformation)) }
    listing.add("seed", manifest.seed.map(String.init))
    for (path, array) in stored {
      let chunk = array.chunk?.first.map { ", chunks of \(grouped($0)) rows" } ?? ""
      listing.add(
        "stored", "\(Listing.line(path)): \(array.type)\(chunk)\(array.filterNames.map { ", \($0)" }.joined())")
    }
    let preparation = PreparationListing.text(manifest.preparation)
    return "\(directory): data set\n\n" + listing.text + "\n" + (preparation.isEmpty ? "" : preparation + "\n")
      + splitTable
      + "\n" + shardTable
  }

  private var target: String {
    switch manifest.target {
    case .none: "none"
    case .classification(let name, let classes): "\(name), \(Self.counted(classes, "classes"))"
    case .regression(let name, let outputs): "\(name), \(outputs == 1 ? "a number" : "\(outputs) numbers")"
    }
  }

  private static func counted(_ names: [String], _ what: String? = nil) -> String {
    let count = [grouped(names.count), what].compactMap { $0 }.joined(separator: " ")
    return
      "\(count): \(names.prefix(8).map { Listing.line($0) }.joined(separator: ", "))\(names.count > 8 ? ", ..." : "")"
  }

  private static func text(_ transformation: DatasetManifest.Transformation) -> String {
    switch transformation {
    case .standardize(_, let applied):
      "standardize, fitted on the training split; \(applied ? "the shards hold" : "reading makes") mean 0 and deviation 1"
    }
  }

  private var splitTable: String {
    var table = Table([
      Table.Column("split"), Table.Column("rows", .right), Table.Column("shards", .right), Table.Column("size", .right),
    ])
    for split in manifest.splits {
      let bytes = shards.filter { $0.split == split.name }.reduce(0) { $0 + ($1.bytes ?? 0) }
      table.append([Listing.line(split.name), grouped(split.rows), grouped(split.shards.count), Text.bytes(bytes)])
    }
    return table.rendered()
  }

  /// All shards, or where there are many the missing ones and the first.
  private var shardTable: String {
    var table = Table([Table.Column("shard"), Table.Column("rows", .right), Table.Column("size", .right)])
    let shown =
      shards.count <= Self.mostShards
      ? shards : Array((missing + shards.filter { $0.bytes != nil }).prefix(Self.mostShards))
    for shard in shown {
      table.append([Listing.line(shard.file), grouped(shard.rows), shard.bytes.map { Text.bytes($0) } ?? "missing"])
    }
    return table.rendered()
      + (shown.count < shards.count ? "and \(grouped(shards.count - shown.count)) more\n" : "")
  }

  var json: JSONValue {
    .object([
      ("kind", "dataset"), ("path", .string(directory)), ("rows", .integer(shards.reduce(0) { $0 + $1.rows })),
      ("manifest", manifest.json),
      (
        "stored",
        .array(
          stored.map { set in
            .object([
              ("dataset", .string(set.path)), ("type", .string(set.array.type)),
              ("chunk", set.array.chunk.map { .integers($0) } ?? .null), ("filters", .texts(set.array.filterNames)),
            ])
          })
      ),
      (
        "shards",
        .array(
          shards.map { shard in
            .object([
              ("split", .string(shard.split)), ("file", .string(shard.file)), ("rows", .integer(shard.rows)),
              ("bytes", shard.bytes.map { .integer($0) } ?? .null),
            ])
          })
      ),
    ])
  }
}
