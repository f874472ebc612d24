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
  /// Bytes of the whole file.
  public let bytes: Int
  private let metadata: [(key: String, value: String)]
  private let carriesChecksum: Bool
  private let headerBytes: Int
  /// The byte at which each tensor begins, and the last one ends.
  private let starts: [Int]

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
    let blank = carriesChecksum ? Checksum().hex : nil
    headerBytes = Self.header(tensors, metadata, checksum: blank).count
    starts = tensors.reduce(into: [headerBytes]) { $0.append($0[$0.count - 1] + 4 * $1.count) }
    bytes = starts[tensors.count]
  }

  /// From this size on the elements begin with a page, so that whole pages can be written past the system's cache.
  static let largeBytes = 1 << 20

  /// What stands before the elements: length and JSON, padded with spaces to a multiple of 8 bytes, in large files of a page, so that
  /// the elements are aligned.
  /// - Parameter checksum: of the content, of 16 digits whatever it is; nil where the file carries none.
  private static func header(
    _ tensors: [Entry], _ metadata: [(key: String, value: String)], checksum: String?
  ) -> [UInt8] {
    let pairs = metadata + (checksum.map { [(key: ContentChecksum.key, value: $0)] } ?? [])
    var members: [(String, JSONValue)] = []
    if !pairs.isEmpty {
      members.append(("__metadata__", .object(pairs.map { ($0.key, JSONValue.string($0.value)) })))
    }
    var start = 0
    for tensor in tensors {
      let end = start + 4 * tensor.count
      members.append(
        (
          tensor.name,
          .object([
            ("dtype", .string(SafetensorsTensor.ElementType.float32.rawValue)),
            ("shape", .array(tensor.shape.map { JSONValue.integer($0) })),
            ("data_offsets", .array([JSONValue.integer(start), JSONValue.integer(end)])),
          ])
        ))
      start = end
    }
    var text = Array(JSONValue.object(members).serialized(pretty: false).utf8)
    while text.last == UInt8(ascii: "\n") { text.removeLast() }
    let side = start >= largeBytes ? File.pageBytes : 8
    while (8 + text.count) % side != 0 { text.append(UInt8(ascii: " ")) }
    precondition(text.count <= SafetensorsHeader.mostBytes, "a header of \(text.count) bytes")
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }

  /// The byte at which element `index` of tensor `tensor` stands.
  func offset(ofTensor tensor: Int, element index: Int) -> Int { starts[tensor] + 4 * index }

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
    let header = Self.header(tensors, metadata, checksum: content)
    let whole = zip(tensors, checksums).reduce(Checksum(of: header)) { $0.followed(by: $1.1, count: 4 * $1.0.count) }
    return Receipt(bytes: bytes, checksum: whole, tensors: checksums, header: header)
  }
}
