import Files
import Text

/// Where data are to be found, as a user names them.
public struct DataSource: Equatable, Sendable {
  public static let defaultFeatures = "features"
  public static let defaultTargets = "targets"
  public static let defaultSplit = "train"

  /// A directory with a `dataset.json`, a directory of HDF5 files, one HDF5 file, or a pattern (`data/*.h5`).
  public var path: String
  /// The names of the data sets in the files; nil: what `dataset.json` says, or `features` and `targets`.
  public var features: String?
  public var targets: String?
  /// The split that the user asks for; nil: none was named.
  public var split: String?
  /// Whether the files may lead to others, by links, external storage and virtual data sets.
  public var isTrusted: Bool

  public init(
    path: String, features: String? = nil, targets: String? = nil, split: String? = nil, isTrusted: Bool = false
  ) {
    self.path = path
    self.features = features
    self.targets = targets
    self.split = split
    self.isTrusted = isTrusted
  }

  /// Finds the files. Opens none of them but `dataset.json`. Not collective: one rank does it and tells the others
  /// (`ResolvedSource.encoded`).
  ///
  /// - Parameter defaultSplit: the split to take where none was named and the data set has splits.
  /// - Throws: `DataError` of kind `.missing` if there is nothing (with names that are like it), `.usage` for a split that
  ///   does not exist (with those that do).
  public func resolve(defaultSplit: String = DataSource.defaultSplit) throws(DataError) -> ResolvedSource {
    guard !path.isEmpty else { throw DataError(.usage, "the path of the data is empty") }
    guard let status = try Self.status(of: path) else {
      guard FileSystem.isPattern(path) else { throw missing() }
      return try resolved(matching: path)
    }
    if status.kind == .directory {
      let manifest = FileSystem.join(path, DatasetManifest.fileName)
      guard try Self.status(of: manifest) == nil else { return try resolved(manifest: manifest, defaultSplit) }
      return try resolvedDirectory()
    }
    if FileSystem.name(of: path) == DatasetManifest.fileName { return try resolved(manifest: path, defaultSplit) }
    return try resolved(paths: [path])
  }

  private static func status(of path: String) throws(DataError) -> FileStatus? {
    do {
      return try FileSystem.status(of: path)
    } catch {
      // Below a file there is nothing.
      if error.kind == .notDirectory { return nil }
      throw DataError(reading: error)
    }
  }

  private static func isShard(_ name: String) -> Bool {
    // A hidden file is one that is being written.
    !name.hasPrefix(".") && (name.hasSuffix(".h5") || name.hasSuffix(".hdf5"))
  }

  private func resolvedDirectory() throws(DataError) -> ResolvedSource {
    let names: [String]
    do { names = try FileSystem.list(path) } catch { throw DataError(reading: error) }
    let shards = names.filter(Self.isShard)
    guard shards.isEmpty else { return try resolved(paths: shards.map { FileSystem.join(path, $0) }) }
    let text = "the directory '\(path)' holds neither a \(DatasetManifest.fileName) nor a file *.h5 or *.hdf5"
    let inner = names.first {
      (try? FileSystem.status(of: FileSystem.join(FileSystem.join(path, $0), DatasetManifest.fileName))) != .some(nil)
    }
    throw DataError(.missing, text, hint: inner.map { "'\(FileSystem.join(path, $0))' does" })
  }

  private func resolved(matching pattern: String) throws(DataError) -> ResolvedSource {
    var files: [String] = []
    do {
      for path in try FileSystem.glob(pattern) where try FileSystem.status(of: path)?.kind == .regular {
        files.append(path)
      }
    } catch {
      throw DataError(reading: error)
    }
    guard !files.isEmpty else { throw DataError(.missing, "no file matches '\(pattern)'") }
    return try resolved(paths: files)
  }

  private func resolved(paths: [String]) throws(DataError) -> ResolvedSource {
    if let split {
      throw DataError(
        .usage,
        "the split '\(split)' of '\(path)' is asked for, but splits are named in a \(DatasetManifest.fileName), and there is none",
        hint: "name the files of the split as the path, or leave the split out")
    }
    return ResolvedSource(
      paths: paths, features: features ?? Self.defaultFeatures, targets: targets ?? Self.defaultTargets, split: nil,
      isTrusted: isTrusted, manifest: nil)
  }

  private func resolved(manifest path: String, _ defaultSplit: String) throws(DataError) -> ResolvedSource {
    let manifest = try DatasetManifest.read(path)
    let wanted = split ?? (manifest.splits.count == 1 ? manifest.splits[0].name : defaultSplit)
    guard let found = manifest.split(named: wanted) else {
      let names = manifest.splits.map(\.name)
      throw DataError(
        .usage, "'\(path)' has no split '\(wanted)'; it has \(names.map { "'\($0)'" }.joined(separator: ", "))",
        hint: closest(to: wanted, among: names).map { "did you mean '\($0)'?" })
    }
    guard !found.shards.isEmpty else { throw DataError(.missing, "the split '\(wanted)' in '\(path)' has no shards") }
    let directory = FileSystem.directory(of: path)
    return ResolvedSource(
      paths: found.shards.map { FileSystem.join(directory, $0.file) }, features: features ?? manifest.features,
      targets: targets ?? manifest.targets, split: wanted, isTrusted: isTrusted, manifest: manifest)
  }

  /// Nothing lies at the path: names the part of it that is not there, and what is there instead.
  private func missing() -> DataError {
    var there = FileSystem.directory(of: path)
    var name = FileSystem.name(of: path)
    while (try? FileSystem.status(of: there)) == .some(nil), there != ".", there != "/" {
      name = FileSystem.name(of: there)
      there = FileSystem.directory(of: there)
    }
    let names = ((try? FileSystem.list(there)) ?? []).filter { !$0.hasPrefix(".") }
    var hint = closest(to: name, among: names).map {
      "did you mean '\(there == "." ? $0 : FileSystem.join(there, $0))'?"
    }
    if hint == nil, !names.isEmpty {
      let listed = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
      hint = there == "." ? "the current directory holds \(listed)" : "'\(there)' holds \(listed)"
    }
    let what = FileSystem.join(there, name)
    let text =
      what == path || there == "." ? "'\(path)' does not exist" : "'\(path)' does not exist ('\(what)' neither)"
    return DataError(.missing, text, hint: hint)
  }
}
