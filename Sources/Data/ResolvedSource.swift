import JSON

/// The files of a data set, found but not opened.
public struct ResolvedSource: Equatable, Sendable {
  /// The shards, in the order of their rows.
  public let paths: [String]
  /// The names of the data sets in each of them.
  public let features: String
  public let targets: String
  /// The split that was taken; nil where there is no `dataset.json`.
  public let split: String?
  /// Whether the files may lead to others.
  public let isTrusted: Bool
  public let manifest: DatasetManifest?

  /// Rows that `dataset.json` says each shard has; nil where there is none.
  public var expectedRows: [Int]? {
    split.flatMap { manifest?.split(named: $0) }?.shards.map(\.rows)
  }

  /// What to do with features that are read from these files.
  ///
  /// - Parameters:
  ///   - model: the normalization that belongs to a model which is to be applied; nil for a new model, which takes that of
  ///     the data set.
  ///   - scale: the factor that the job asks for.
  public func transform(model: Normalization?? = nil, scale: Float = 1) throws(DataError) -> FeatureTransform {
    guard scale.isFinite, scale != 0 else { throw DataError(.usage, "features cannot be scaled by \(scale)") }
    guard manifest?.isNormalized != true else {
      if case .some(let wanted) = model, wanted != manifest?.normalization {
        throw DataError(
          .invalid,
          "the data hold features that are normalized already, and not in the way that the model was trained with",
          hint: "prepare the data from the raw values")
      }
      return FeatureTransform(scale: scale)
    }
    if case .some(let wanted) = model { return FeatureTransform(normalization: wanted, scale: scale) }
    return FeatureTransform(normalization: manifest?.normalization, scale: scale)
  }

  /// As bytes, for one rank to tell the others.
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(list: paths) { $0.write($1) }
    writer.write(features)
    writer.write(targets)
    writer.write(split)
    writer.write(isTrusted)
    writer.write(manifest?.json.serialized(pretty: false))
    return writer.bytes
  }

  public init(decoding bytes: [UInt8]) throws(DataError) {
    var reader = ByteReader(bytes)
    paths = try reader.readList { (r) throws(DataError) in try r.readString() }
    features = try reader.readString()
    targets = try reader.readString()
    split = try reader.readOptional { (r) throws(DataError) in try r.readString() }
    isTrusted = try reader.readBool()
    if let text = try reader.readOptional({ (r) throws(DataError) in try r.readString() }) {
      manifest = try DatasetManifest(parsing: Array(text.utf8), path: DatasetManifest.fileName)
    } else {
      manifest = nil
    }
    try reader.finish()
  }

  init(
    paths: [String], features: String, targets: String, split: String?, isTrusted: Bool = false,
    manifest: DatasetManifest?
  ) {
    self.paths = paths
    self.features = features
    self.targets = targets
    self.split = split
    self.isTrusted = isTrusted
    self.manifest = manifest
  }
}
