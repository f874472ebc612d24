/// What one writer put into a safetensors file.
public struct SafetensorsPart: Equatable, Sendable {
  /// Elements' bytes.
  public let bytes: Int
  /// What they contribute to the checksum of each tensor.
  public let contributions: [UInt64]

  /// The parts of some files as bytes, to send to other ranks.
  public static func encoded(_ parts: [SafetensorsPart]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(list: parts) { writer, part in
      writer.write(part.bytes)
      writer.write(list: part.contributions) { $0.write(Int(bitPattern: UInt($1))) }
    }
    return writer.bytes
  }

  /// The parts that `encoded` made `bytes` of.
  public static func decoded(_ bytes: [UInt8]) throws(DataError) -> [SafetensorsPart] {
    var reader = ByteReader(bytes)
    let parts = try reader.readList { (reader) throws(DataError) in
      SafetensorsPart(
        bytes: try reader.readInt(),
        contributions: try reader.readList { (reader) throws(DataError) in
          UInt64(UInt(bitPattern: try reader.readInt()))
        })
    }
    try reader.finish()
    return parts
  }
}
