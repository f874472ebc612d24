public import HDF5

/// What one shard holds, found by one rank and told to the others.
public struct ShardDescription: Equatable, Sendable {
  /// What the labels of a shard are, found by reading all of them.
  public struct Labels: Equatable, Sendable {
    public let minimum: Double
    public let maximum: Double
    /// The first row whose label cannot be a class index (negative or fractional), and the label.
    public let firstOdd: OddLabel?

    public struct OddLabel: Equatable, Sendable {
      public let row: Int
      public let value: Double
    }
  }

  public let path: String
  /// The names of the data sets that were looked at; `targets` is nil where none were wanted.
  public let features: String
  public let targets: String?
  /// Whether the file may lead to others.
  public let isTrusted: Bool

  /// What is wrong with the shard; all else is 0 or nil then.
  public let failure: DataError?

  public let rows: Int
  /// Feature values in a row, all dimensions but the first multiplied.
  public let columns: Int
  public let featureType: ElementType
  /// As stored, rows first.
  public let featureShape: [Int]
  /// Rows of a chunk of features; nil where the features are not chunked.
  public let chunkRows: Int?
  /// Nil where no targets were wanted.
  public let targetType: ElementType?
  public let targetShape: [Int]
  /// Nil where the labels were not scanned, or where there are none.
  public let labels: Labels?

  /// Target values in a row; 0 where no targets were wanted.
  public var targetColumns: Int { targetType == nil ? 0 : targetShape.dropFirst().reduce(1, *) }

  /// Whether the numbers are stored as whole ones.
  public var hasIntegerFeatures: Bool { featureType.isInteger }
  public var hasIntegerTargets: Bool { targetType?.isInteger ?? false }

  init(
    path: String, features: String, targets: String?, isTrusted: Bool, rows: Int, columns: Int,
    featureType: ElementType,
    featureShape: [Int], chunkRows: Int?, targetType: ElementType?, targetShape: [Int], labels: Labels?
  ) {
    self.path = path
    self.features = features
    self.targets = targets
    self.isTrusted = isTrusted
    self.failure = nil
    self.rows = rows
    self.columns = columns
    self.featureType = featureType
    self.featureShape = featureShape
    self.chunkRows = chunkRows
    self.targetType = targetType
    self.targetShape = targetShape
    self.labels = labels
  }

  /// A shard that could not be described.
  public init(path: String, features: String, targets: String?, isTrusted: Bool = false, failure: DataError) {
    self.path = path
    self.features = features
    self.targets = targets
    self.isTrusted = isTrusted
    self.failure = failure
    self.rows = 0
    self.columns = 0
    self.featureType = .other("unknown")
    self.featureShape = []
    self.chunkRows = nil
    self.targetType = nil
    self.targetShape = []
    self.labels = nil
  }
}

// As bytes, for ranks to tell each other.
extension ShardDescription {
  public func encoded() -> [UInt8] { Self.encode([self]) }

  public init(decoding bytes: [UInt8]) throws(DataError) {
    let list = try Self.decode(bytes)
    guard list.count == 1 else { throw ByteReader.damaged }
    self = list[0]
  }

  public static func encode(_ descriptions: [ShardDescription]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(list: descriptions) { $1.encode(into: &$0) }
    return writer.bytes
  }

  public static func decode(_ bytes: [UInt8]) throws(DataError) -> [ShardDescription] {
    var reader = ByteReader(bytes)
    let list = try reader.readList { (r) throws(DataError) in try ShardDescription(from: &r) }
    try reader.finish()
    return list
  }

  private func encode(into writer: inout ByteWriter) {
    writer.write(path)
    writer.write(features)
    writer.write(targets)
    writer.write(isTrusted)
    writer.write(optional: failure) { $1.encode(into: &$0) }
    guard failure == nil else { return }
    writer.write(rows)
    writer.write(columns)
    writer.write(featureType.description)
    writer.write(list: featureShape) { $0.write($1) }
    writer.write(chunkRows)
    writer.write(optional: targetType) { $0.write($1.description) }
    writer.write(list: targetShape) { $0.write($1) }
    writer.write(optional: labels) { writer, labels in
      writer.write(labels.minimum)
      writer.write(labels.maximum)
      writer.write(optional: labels.firstOdd) {
        $0.write($1.row)
        $0.write($1.value)
      }
    }
  }

  private init(from reader: inout ByteReader) throws(DataError) {
    let path = try reader.readString()
    let features = try reader.readString()
    let targets = try reader.readOptional { (r) throws(DataError) in try r.readString() }
    let isTrusted = try reader.readBool()
    if let failure = try reader.readOptional({ (r) throws(DataError) in try DataError(from: &r) }) {
      self.init(path: path, features: features, targets: targets, isTrusted: isTrusted, failure: failure)
      return
    }
    self.init(
      path: path, features: features, targets: targets, isTrusted: isTrusted, rows: try reader.readInt(),
      columns: try reader.readInt(),
      featureType: ElementType(named: try reader.readString()),
      featureShape: try reader.readList { (r) throws(DataError) in try r.readInt() },
      chunkRows: try reader.readOptional { (r) throws(DataError) in try r.readInt() },
      targetType: try reader.readOptional { (r) throws(DataError) in ElementType(named: try r.readString()) },
      targetShape: try reader.readList { (r) throws(DataError) in try r.readInt() },
      labels: try reader.readOptional { (r) throws(DataError) in
        Labels(
          minimum: try r.readDouble(), maximum: try r.readDouble(),
          firstOdd: try r.readOptional { (r) throws(DataError) in
            Labels.OddLabel(row: try r.readInt(), value: try r.readDouble())
          })
      })
  }
}

extension ElementType {
  private static let named: [String: ElementType] = {
    let types: [ElementType] = [
      .float32, .float64, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .string,
    ]
    return Dictionary(uniqueKeysWithValues: types.map { ($0.description, $0) })
  }()

  init(named name: String) { self = Self.named[name] ?? .other(name) }
}
