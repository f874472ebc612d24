import JSON
import Text

/// The header of a safetensors file, checked: every tensor within the file, none over another, no byte unaccounted for.
///
/// Source: the format as safetensors 0.4 defines it (8 bytes of little-endian length, JSON, data).
struct SafetensorsHeader {
  /// Longer headers are refused before they are read.
  static let mostBytes = 16 << 20
  /// A header of 16 MiB could ask for millions of values; no model has as many.
  private static let mostValues = 250_000
  /// Object, tensor, shape: nothing lies deeper.
  private static let mostDepth = 4

  let metadata: [(key: String, value: String)]
  /// In the order of their data.
  let tensors: [SafetensorsTensor]

  /// - Parameters:
  ///   - dataBytes: bytes of the file behind the header.
  ///   - path: for messages.
  init(parsing bytes: [UInt8], dataBytes: Int, path: String) throws(DataError) {
    do throws(JSONError) {
      let root = try JSONNode(parsing: bytes, depthLimit: Self.mostDepth, valueLimit: Self.mostValues)
      guard let members = root.asObject else { throw root.error("the header is \(root.kindName), not an object") }
      var metadata: [(key: String, value: String)] = []
      var tensors: [SafetensorsTensor] = []
      for member in members {
        if member.key == "__metadata__" {
          metadata = try Self.metadata(member.value)
        } else {
          tensors.append(try Self.tensor(member))
        }
      }
      self.metadata = metadata
      self.tensors = tensors.sorted {
        ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
      }
    } catch {
      throw DataError(.invalid, "'\(path)', header, \(error)")
    }
    try check(dataBytes: dataBytes, path: path)
  }

  private static func metadata(_ node: JSONNode) throws(JSONError) -> [(key: String, value: String)] {
    guard let members = node.asObject else { throw node.error("\"__metadata__\" is \(node.kindName), not an object") }
    return try members.map { (member) throws(JSONError) in
      guard let value = member.value.asString else {
        throw member.value.error("the metadata \"\(shortened(member.key))\" is \(member.value.kindName), not a string")
      }
      return (key: member.key, value: value)
    }
  }

  private static func tensor(_ member: JSONMember) throws(JSONError) -> SafetensorsTensor {
    let node = member.value
    let typeName = try node.string("dtype")
    guard let type = SafetensorsTensor.ElementType(rawValue: typeName) else {
      throw node.error("the tensor \"\(shortened(member.key))\" has the unknown type \"\(shortened(typeName))\"")
    }
    var shape: [Int] = []
    var size = type.bytes
    for dimension in try node.array("shape") {
      guard let length = dimension.asInt, length >= 0 else {
        throw dimension.error("the shape of \"\(shortened(member.key))\" is not made of whole numbers from 0 up")
      }
      let product = size.multipliedReportingOverflow(by: length)
      guard !product.overflow else {
        throw dimension.error("the tensor \"\(shortened(member.key))\" is too large for any file")
      }
      size = product.partialValue
      shape.append(length)
    }
    let offsets = try node.array("data_offsets")
    guard offsets.count == 2, let start = offsets[0].asInt, let end = offsets[1].asInt, start >= 0, end >= start else {
      throw node.error("the offsets of \"\(shortened(member.key))\" are not two numbers, 0 or more and ascending")
    }
    guard end - start == size else {
      throw node.error(
        "the tensor \"\(shortened(member.key))\" needs \(grouped(size)) bytes by its shape and has \(grouped(end - start)) by its offsets"
      )
    }
    return SafetensorsTensor(name: member.key, type: type, shape: shape, bytes: start..<end)
  }

  private func check(dataBytes: Int, path: String) throws(DataError) {
    var end = 0
    var last = ""
    for tensor in tensors {
      guard tensor.bytes.lowerBound == end else {
        let what =
          tensor.bytes.lowerBound < end
          ? "the tensors '\(shortened(last))' and '\(shortened(tensor.name))' overlap"
          : "\(grouped(tensor.bytes.lowerBound - end)) bytes before the tensor '\(shortened(tensor.name))' belong to none"
        throw DataError(.invalid, "'\(path)': \(what)")
      }
      end = tensor.bytes.upperBound
      last = tensor.name
    }
    guard end == dataBytes else {
      throw DataError(
        .invalid,
        end > dataBytes
          ? "'\(path)' is truncated: its tensors take \(grouped(end)) bytes, \(grouped(dataBytes)) are there"
          : "'\(path)' has \(grouped(dataBytes - end)) bytes behind its last tensor")
    }
  }
}

/// A name from a file in a message: not longer than a line.
func shortened(_ text: String) -> String {
  text.utf8.count <= 100 ? text : String(text.prefix(80)) + "..."
}
