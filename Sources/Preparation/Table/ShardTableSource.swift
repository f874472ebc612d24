internal import Data
internal import Files
internal import MPI

/// The rows of a data set in HDF5 files as a table: the columns of its features, and its target as the last one.
///
/// The splits of a data set with a `dataset.json` stay as they are.
final class ShardTableSource: TableSource {
  /// Rows of one split, and where they begin among the blocks.
  private struct Part {
    var split: SplitName?
    var rows: StoredRows
    var firstBlock: Int
  }

  let schema: Schema
  let name: String
  let blocks: Int
  let classNames: [String]?
  /// The name of the target; nil where the files hold none.
  let target: String?
  /// What `dataset.json` says; nil where there is none.
  let manifest: DatasetManifest?

  private var parts: [Part] = []
  private let blockRows: Int
  /// The code of each class: dictionaries are sorted, classes need not be.
  private let codes: [Int32]
  private static let blockBytes = 4 << 20

  /// Opens a data set on all ranks. Collective.
  /// - Throws: the error that all ranks share, if it cannot be opened or is no table.
  init(_ source: DataSource, _ ranks: borrowing some Ranks & ~Copyable) throws {
    let bytes = try ranks.fromRoot { () throws(PreparationError) in try Self.found(source) }
    var reader = ByteReader(bytes)
    let found = try reader.readList { (reader) throws(DataError) in
      (try reader.readString(), try reader.readBytes(), try reader.readBytes())
    }
    var datasets: [(split: SplitName?, dataset: ShardedDataset)] = []
    var first: ResolvedSource?
    for (split, resolved, described) in found {
      let source = try ResolvedSource(decoding: resolved)
      first = first ?? source
      let dataset = try Self.opened(try ShardDescription.decode(described), source)
      datasets.append((SplitName(rawValue: split), dataset))
    }
    manifest = first?.manifest
    name = FileSystem.name(of: source.path)
    let model = datasets.first { $0.dataset.rows > 0 }?.dataset ?? datasets[0].dataset
    (schema, target, codes) = try Self.columns(model, manifest, targets: first?.targets ?? DataSource.defaultTargets)
    classNames = manifest.flatMap { $0.classes.isEmpty ? nil : $0.classes }
    blockRows = max(1, Self.blockBytes / 8 / (model.columns + 1))
    var next = 0
    for (split, dataset) in datasets {
      parts.append(Part(split: split, rows: StoredRows(dataset), firstBlock: next))
      next += (dataset.rows + blockRows - 1) / blockRows
    }
    blocks = next
  }

  /// Rank 0: the files of each split, and what they hold.
  private static func found(_ source: DataSource) throws(PreparationError) -> [UInt8] {
    var writer = ByteWriter()
    do throws(DataError) {
      let first = try source.resolve()
      var splits: [(String, ResolvedSource)] = []
      for split in first.manifest?.splits ?? [] {
        guard SplitName(rawValue: split.name) != nil else {
          throw DataError(
            .invalid, "'\(source.path)' has a split '\(split.name)', which is none of train, validation and test")
        }
        var part = source
        part.split = split.name
        splits.append((split.name, try part.resolve()))
      }
      if splits.isEmpty { splits = [("", first)] }
      var parts: [(String, [UInt8], [UInt8])] = []
      for (name, resolved) in splits {
        let hasTargets = resolved.manifest == nil || resolved.manifest?.target != nil
        let described: [ShardDescription]
        do throws(FilesError) {
          described = try ShardInspector.describe(
            resolved.paths, features: resolved.features, targets: hasTargets ? resolved.targets : nil,
            scanLabels: false, trusted: resolved.isTrusted)
        } catch {
          throw DataError(.io, error.description)
        }
        parts.append((name, resolved.encoded(), ShardDescription.encode(described)))
      }
      writer.write(list: parts) {
        $0.write($1.0)
        $0.write($1.1)
        $0.write($1.2)
      }
    } catch {
      throw PreparationError(error)
    }
    return writer.bytes
  }

  private static func opened(
    _ described: [ShardDescription], _ source: ResolvedSource
  ) throws(PreparationError) -> ShardedDataset {
    do {
      return try ShardedDataset(descriptions: described, source: source)
    } catch {
      throw PreparationError(error)
    }
  }

  private static func columns(
    _ dataset: ShardedDataset, _ manifest: DatasetManifest?, targets: String
  ) throws(PreparationError) -> (Schema, target: String?, codes: [Int32]) {
    guard dataset.targetColumns <= 1 else {
      throw PreparationError(
        .invalid, "the targets have \(dataset.targetColumns) values a row; a table has one target")
    }
    let shard = dataset.shards.first { $0.rows > 0 } ?? dataset.shards[0]
    let names = manifest?.columns ?? (0..<dataset.columns).map { "x\($0)" }
    var columns = names.map { ColumnSchema(name: $0, type: shard.hasIntegerFeatures ? .integer : .real) }
    var codes: [Int32] = []
    var target: String?
    if dataset.targetColumns == 1 {
      let name = manifest?.target?.name ?? targets
      target = name
      if let classes = manifest?.classes, !classes.isEmpty {
        let sorted = Set(classes).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($0.element, Int32($0.offset)) })
        codes = classes.map { places[$0] ?? Column.missingCode }
        columns.append(ColumnSchema(name: name, type: .category, dictionary: sorted))
      } else {
        columns.append(ColumnSchema(name: name, type: shard.hasIntegerTargets ? .integer : .real))
      }
    }
    var seen: Set<String> = []
    if let twice = columns.first(where: { !seen.insert($0.name).inserted }) {
      throw PreparationError(.invalid, "the data set has two columns with the name \(quoted(twice.name))")
    }
    return (Schema(columns), target, codes)
  }

  // MARK: Blocks

  private func place(of block: Int) -> (part: Part, rows: Range<Int>) {
    precondition(block >= 0 && block < blocks, "block \(block) of \(blocks)")
    let part = parts.last { $0.firstBlock <= block && $0.rows.dataset.rows > 0 } ?? parts[0]
    let first = (block - part.firstBlock) * blockRows
    return (part, first..<min(first + blockRows, part.rows.dataset.rows))
  }

  func split(of block: Int) -> SplitName? { place(of: block).part.split }

  func bytes(of block: Int) -> Int {
    let place = place(of: block)
    return place.rows.count * (place.part.rows.dataset.columns + 1) * MemoryLayout<Float>.stride
  }

  func read(_ block: Int) throws(PreparationError) -> ColumnBlock {
    let (part, rows) = place(of: block)
    let values: (features: [Double], targets: [Double])
    do throws(DataError) { values = try part.rows.read(rows) } catch { throw PreparationError(error) }
    let width = part.rows.dataset.columns
    var columns = (0..<width).map { column in
      Column.numbers(rows.indices.map { values.features[($0 - rows.lowerBound) * width + column] })
    }
    for (index, column) in columns.enumerated() {
      guard case .numbers(let numbers) = column, let row = numbers.firstIndex(where: \.isInfinite) else { continue }
      throw PreparationError(
        .invalid,
        "column \(quoted(schema.columns[index].name)) is infinite in \(part.rows.name(ofRow: rows.lowerBound + row))")
    }
    if target != nil { columns.append(try targets(values.targets, part, rows)) }
    return ColumnBlock(rows: rows.count, columns: columns)
  }

  private func targets(_ values: [Double], _ part: Part, _ rows: Range<Int>) throws(PreparationError) -> Column {
    guard !codes.isEmpty else { return .numbers(values) }
    var labels: [Int32] = []
    for (place, value) in values.enumerated() {
      guard let label = Int(exactly: value), codes.indices.contains(label) else {
        throw PreparationError(
          .invalid,
          "the label of \(part.rows.name(ofRow: rows.lowerBound + place)) is \(value); there are classes 0 to \(codes.count - 1)"
        )
      }
      labels.append(codes[label])
    }
    return .codes(labels)
  }
}
