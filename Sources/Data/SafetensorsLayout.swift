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
  /// What stands before the elements: length and JSON, padded with spaces to a multiple of 8 bytes so that the elements are aligned.
  let header: [UInt8]
  /// The byte at which each tensor begins.
  private let starts: [Int]

  /// - Parameters:
  ///   - tensors: names must differ.
  ///   - metadata: text, in the order in which it is to be written; keys must differ.
  public init(_ tensors: [Entry], metadata: [(key: String, value: String)] = []) {
    precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors of one name in \(tensors.map(\.name))")
    precondition(Set(metadata.map(\.key)).count == metadata.count, "two metadata of one key in \(metadata.map(\.key))")
    var members: [(String, JSONValue)] = []
    if !metadata.isEmpty {
      members.append(("__metadata__", .object(metadata.map { ($0.key, JSONValue.string($0.value)) })))
    }
    var offsets = [0]
    for tensor in tensors {
      let (start, end) = (offsets[offsets.count - 1], offsets[offsets.count - 1] + 4 * tensor.count)
      members.append(
        (
          tensor.name,
          .object([
            ("dtype", "F32"), ("shape", .array(tensor.shape.map { JSONValue.integer($0) })),
            ("data_offsets", .array([JSONValue.integer(start), JSONValue.integer(end)])),
          ])
        ))
      offsets.append(end)
    }
    var text = Array(JSONValue.object(members).serialized(pretty: false).utf8)
    while text.last == UInt8(ascii: "\n") { text.removeLast() }
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    precondition(text.count <= SafetensorsHeader.mostBytes, "a header of \(text.count) bytes")
    header = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    self.tensors = tensors
    starts = offsets.map { [header] in header.count + $0 }
    bytes = starts[tensors.count]
  }

  /// The byte at which element `index` of tensor `tensor` stands.
  func offset(ofTensor tensor: Int, element index: Int) -> Int { starts[tensor] + 4 * index }

  /// What a file is whose bytes were written in parts.
  public struct Receipt: Equatable, Sendable {
    public let bytes: Int
    /// Of all bytes of the file.
    public let checksum: Checksum
  }

  /// The receipt of the file that `parts` make together, each element and the header written by exactly one of them.
  public func receipt(of parts: [SafetensorsPart]) -> Receipt {
    let written = parts.reduce(0) { $0 + $1.bytes }
    precondition(written == bytes, "\(written) bytes were written of a file of \(bytes)")
    return Receipt(bytes: bytes, checksum: Checksum(combining: parts.map(\.contribution), length: bytes))
  }
}

/// What one writer put into a safetensors file.
public struct SafetensorsPart: Equatable, Sendable {
  public let bytes: Int
  /// What these bytes contribute to the checksum of the file.
  public let contribution: UInt64

  public init(bytes: Int, contribution: UInt64) {
    self.bytes = bytes
    self.contribution = contribution
  }
}
