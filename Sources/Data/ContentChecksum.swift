import Files
import JSON

/// The checksum of what a safetensors file says: its metadata, and its tensors with names, types, shapes and elements.
///
/// It stands in the metadata, where readers that do not know it pass it over. The order in the file, spaces and the way in which
/// text is escaped do not count: a file that another program has written anew with the same content has the same checksum.
///
/// It is the CRC-64/XZ of `[[key, value], ...], [[name, type, [shape], checksum of the bytes], ...]` as JSON, both lists sorted.
enum ContentChecksum {
  /// The key of the metadata, which does not count itself.
  static let key = "checksum"

  struct Tensor {
    let name: String
    let type: SafetensorsTensor.ElementType
    let shape: [Int]
    /// Of the bytes of its elements.
    let checksum: Checksum
  }

  static func hex(metadata: [(key: String, value: String)], _ tensors: [Tensor]) -> String {
    let pairs = metadata.filter { $0.key != key }.sorted { precedes($0.key, $1.key) }
    let lists: JSONValue = .array([
      .array(pairs.map { .array([.string($0.key), .string($0.value)]) }),
      .array(
        tensors.sorted { precedes($0.name, $1.name) }.map {
          .array([
            .string($0.name), .string($0.type.rawValue), .array($0.shape.map { .integer($0) }),
            .string($0.checksum.hex),
          ])
        }),
    ])
    return Checksum(of: Array(lists.serialized(pretty: false).utf8)).hex
  }

  /// By bytes, so that every machine has one order.
  private static func precedes(_ one: String, _ other: String) -> Bool {
    one.utf8.lexicographicallyPrecedes(other.utf8)
  }
}
