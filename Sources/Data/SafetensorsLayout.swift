public import Files
import JSON
import Text

/// What a safetensors file of float32 tensors holds and where: the same tensors and metadata give the same bytes before the elements.
public struct SafetensorsLayout: Sendable {
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let shape: [Int]

    public init(_ name: String, shape: [Int]) {
      precondition(shape.allSatisfy { $0 >= 0 }, "a tensor of the shape \(shape)")
      self.name = name
      self.shape = shape
    }

    public var count: Int { shape.reduce(1, *) }
  }

  /// In the order of their elements in the file.
  public let tensors: [Entry]
  private var metadata: [(key: String, value: String)]
  private let carriesChecksum: Bool
  /// What the header says of the tensors, as a JSON object.
  private let tensorsText: [UInt8]
  /// What stands before the elements, without the spaces at its end, and with them.
  private var textBytes: Int
  private var headerBytes: Int { padded(textBytes) }
  /// The byte behind the header at which each tensor begins, and the last one ends.
  private let starts: [Int]

  /// Bytes of the whole file.
  public var bytes: Int { headerBytes + starts[tensors.count] }

  /// - Parameters:
  ///   - tensors: names must differ.
  ///   - metadata: text, in the order in which it is to be written; keys must differ.
  ///   - carriesChecksum: the metadata end with "checksum", which vouches for all that the file says.
  public init(
    _ tensors: [Entry], metadata: [(key: String, value: String)] = [], carriesChecksum: Bool = false
  ) {
    precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors of one name in \(tensors.map(\.name))")
    precondition(Set(metadata.map(\.key)).count == metadata.count, "two metadata of one key in \(metadata.map(\.key))")
    self.tensors = tensors
    self.metadata = metadata
    self.carriesChecksum = carriesChecksum
    starts = tensors.reduce(into: [0]) { $0.append($0[$0.count - 1] + 4 * $1.count) }
    tensorsText = Self.text(
      zip(tensors, zip(starts, starts.dropFirst())).map { tensor, place in
        (
          tensor.name,
          .object([
            ("dtype", .string(SafetensorsTensor.ElementType.float32.rawValue)),
            ("shape", .array(tensor.shape.map { .integer($0) })),
            ("data_offsets", .array([.integer(place.0), .integer(place.1)])),
          ])
        )
      })
    textBytes = 0
    textBytes = text(checksum: carriesChecksum ? Checksum().hex : nil).count + Self.lengthBytes
  }

  /// The layout of a file with another value of the metadatum `key`, which this one has.
  public func setting(_ key: String, to value: String) -> SafetensorsLayout {
    guard let index = metadata.firstIndex(where: { $0.key == key }) else {
      preconditionFailure("no metadatum '\(key)'")
    }
    var layout = self
    layout.metadata[index].value = value
    layout.textBytes += Self.textBytes(of: value) - Self.textBytes(of: metadata[index].value)
    return layout
  }

  private static func text(_ members: [(String, JSONValue)]) -> [UInt8] {
    Array(JSONValue.object(members).serialized(pretty: false).utf8)
  }

  private static func textBytes(of value: String) -> Int {
    JSONValue.string(value).serialized(pretty: false).utf8.count
  }

  /// From this size on the elements begin with a page, so that whole pages can be written past the system's cache.
  static let largeBytes = 1 << 20

  private static let lengthBytes = 8

  /// The number of bytes before the elements, padded to a multiple of 8, in large files of a page, so that the elements are aligned.
  private func padded(_ bytes: Int) -> Int {
    let side = starts[tensors.count] >= Self.largeBytes ? File.pageBytes : 8
    return (bytes + side - 1) / side * side
  }

  /// What stands before the elements: length and JSON, padded with spaces.
  /// - Parameter checksum: of the content, of 16 digits whatever it is; nil where the file carries none.
  private func header(checksum: String?) -> [UInt8] {
    let text = text(checksum: checksum)
    let bytes = padded(text.count + Self.lengthBytes)
    let length = bytes - Self.lengthBytes
    precondition(length <= SafetensorsHeader.mostBytes, "a header of \(length) bytes")
    let spaces = repeatElement(UInt8(ascii: " "), count: length - text.count)
    return (0..<Self.lengthBytes).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text + spaces
  }

  private func text(checksum: String?) -> [UInt8] {
    let pairs = metadata + (checksum.map { [(key: ContentChecksum.key, value: $0)] } ?? [])
    guard !pairs.isEmpty else { return tensorsText }
    var text = Self.text([("__metadata__", .object(pairs.map { ($0.key, JSONValue.string($0.value)) }))])
    // The object of the tensors goes on behind this member.
    text.removeLast()
    if !tensors.isEmpty { text.append(UInt8(ascii: ",")) }
    text += tensorsText.dropFirst()
    return text
  }

  /// The byte at which element `index` of tensor `tensor` stands.
  func offset(ofTensor tensor: Int, element index: Int) -> Int { headerBytes + starts[tensor] + 4 * index }

  /// What a file is whose elements were written in parts.
  public struct Receipt: Equatable, Sendable {
    public let bytes: Int
    /// Of all bytes of the file.
    public let checksum: Checksum
    /// Of the bytes of each tensor.
    public let tensors: [Checksum]
    /// What stands before the elements.
    let header: [UInt8]
  }

  /// The receipt of the file that `parts` make together, each element written by exactly one of them.
  func receipt(of parts: [SafetensorsPart]) -> Receipt {
    let written = parts.reduce(0) { $0 + $1.bytes }
    precondition(written == bytes - headerBytes, "\(written) bytes were written of \(bytes - headerBytes)")
    let checksums = tensors.indices.map { index in
      Checksum(combining: parts.map { $0.contributions[index] }, length: 4 * tensors[index].count)
    }
    let contents = zip(tensors, checksums).map {
      ContentChecksum.Tensor(name: $0.name, type: .float32, shape: $0.shape, checksum: $1)
    }
    let content = carriesChecksum ? ContentChecksum.hex(metadata: metadata, contents) : nil
    let header = header(checksum: content)
    let whole = zip(tensors, checksums).reduce(Checksum(of: header)) { $0.followed(by: $1.1, count: 4 * $1.0.count) }
    return Receipt(bytes: bytes, checksum: whole, tensors: checksums, header: header)
  }
}
