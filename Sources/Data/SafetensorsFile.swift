public import Files
public import Kernels
import Text

/// A safetensors file, open for reading: named tensors and a little text.
///
/// Opening reads and checks the header alone. A hostile file costs neither much time nor much memory: the header's length, depth
/// and number of values are bounded, and no tensor reaches out of the file.
public struct SafetensorsFile: ~Copyable {
  public let path: String
  /// In the order of their data.
  public let tensors: [SafetensorsTensor]
  /// Text that came with the tensors, in the order of the file.
  public let metadata: [(key: String, value: String)]

  private let file: File
  private let dataStart: Int

  /// Opens the file at `path`.
  /// - Throws: `DataError`: `.missing`, `.permission`, or `.invalid` for what is no safetensors file or a damaged one.
  public static func open(_ path: String) throws(DataError) -> SafetensorsFile {
    let file = try reading { () throws(FilesError) in try File.openForReading(path) }
    let size = try reading { () throws(FilesError) in try file.size }
    let first = try reading { () throws(FilesError) in try file.read(at: 0, count: 8) }
    let length = first.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard first.count == 8, length >= 2, length <= UInt64(max(0, size - 8)) else {
      throw notSafetensors(path, size: size, first: first, length: length)
    }
    guard length <= UInt64(SafetensorsHeader.mostBytes) else {
      throw DataError(
        .invalid,
        "'\(path)' declares a header of \(Text.bytes(Int(length))); at most \(Text.bytes(SafetensorsHeader.mostBytes)) are read"
      )
    }
    let header = try reading { () throws(FilesError) in try file.read(at: 8, count: Int(length)) }
    guard header.count == Int(length), header[0] == UInt8(ascii: "{") else {
      throw notSafetensors(path, size: size, first: first, length: length)
    }
    let parsed = try SafetensorsHeader(parsing: header, dataBytes: size - 8 - Int(length), path: path)
    return SafetensorsFile(
      path: path, tensors: parsed.tensors, metadata: parsed.metadata, file: file, dataStart: 8 + Int(length))
  }

  private init(
    path: String, tensors: [SafetensorsTensor], metadata: [(key: String, value: String)], file: consuming File,
    dataStart: Int
  ) {
    self.path = path
    self.tensors = tensors
    self.metadata = metadata
    self.file = file
    self.dataStart = dataStart
  }

  private static func notSafetensors(_ path: String, size: Int, first: [UInt8], length: UInt64) -> DataError {
    var message = "'\(path)' is no safetensors file, or is truncated: "
    if size < 8 {
      message += "it has \(size) bytes"
    } else {
      let shown = first.map { $0 >= 0x20 && $0 < 0x7f ? String(UnicodeScalar($0)) : "." }.joined()
      message += "it begins with \"\(shown)\", which makes a header of \(length) bytes in a file of \(grouped(size))"
    }
    return DataError(.invalid, message)
  }

  private static func reading<Result: ~Copyable>(
    _ body: () throws(FilesError) -> Result
  ) throws(DataError) -> Result {
    do { return try body() } catch { throw DataError(reading: error) }
  }

  /// The tensor of this name; nil if there is none.
  public func tensor(named name: String) -> SafetensorsTensor? { tensors.first { $0.name == name } }

  /// The metadata of this key; nil if there is none.
  public func metadata(_ key: String) -> String? { metadata.first { $0.key == key }?.value }

  /// Reads the elements of `tensor` in `elements` (all without them) to `offset` of a buffer and what follows.
  ///
  /// float64, float16 and bfloat16 are converted to the nearest float32.
  /// - Throws: `DataError` for other types of elements, or if reading fails.
  public func read(
    _ tensor: SafetensorsTensor, _ elements: Range<Int>? = nil, into buffer: inout FloatBuffer, at offset: Int
  ) throws(DataError) {
    let elements = elements ?? 0..<tensor.count
    precondition(
      elements.lowerBound >= 0 && elements.upperBound <= tensor.count, "elements \(elements) of \(tensor.count)")
    precondition(
      offset >= 0 && elements.count <= buffer.count - offset,
      "\(elements.count) elements at \(offset) of a buffer of \(buffer.count)")
    switch tensor.type {
    case .float32: try readFloats(tensor, elements, into: &buffer, at: offset)
    case .float64:
      try readConverting(tensor, elements, into: &buffer, at: offset) { Float(Double(bitPattern: $0)) }
    case .float16:
      try readConverting(tensor, elements, into: &buffer, at: offset) { Float(Float16(bitPattern: UInt16($0))) }
    case .bfloat16:
      try readConverting(tensor, elements, into: &buffer, at: offset) { Float(bitPattern: UInt32($0) << 16) }
    default:
      throw DataError(
        .invalid, "the tensor '\(shortened(tensor.name))' in '\(path)' is \(tensor.type.rawValue); wanted is F32")
    }
  }

  /// Compares what the file says with the checksum that its metadata carry. Reads all of it.
  /// - Returns: whether there is such a checksum.
  /// - Throws: `DataError` of kind `.invalid` where the file says something else.
  public func verify() throws(DataError) -> Bool {
    guard let expected = metadata(ContentChecksum.key) else { return false }
    var contents: [ContentChecksum.Tensor] = []
    for tensor in tensors {
      contents.append(
        ContentChecksum.Tensor(
          name: tensor.name, type: tensor.type, shape: tensor.shape, checksum: try checksum(of: tensor)))
    }
    let found = ContentChecksum.hex(metadata: metadata, contents)
    guard found == expected else {
      throw DataError(
        .invalid, "'\(path)' is damaged: it has the checksum \(found) and says \(shortened(expected))",
        hint: "take a copy of it; a program that changes such a file leaves out the metadata 'checksum' and 'format'")
    }
    return true
  }

  /// The checksum of the bytes of its elements.
  public func checksum(of tensor: SafetensorsTensor) throws(DataError) -> Checksum {
    var checksum = Checksum()
    var offset = tensor.bytes.lowerBound
    while offset < tensor.bytes.upperBound {
      let bytes: [UInt8]
      do { bytes = try file.read(at: dataStart + offset, count: min(1 << 20, tensor.bytes.upperBound - offset)) } catch
      {
        throw DataError(reading: error)
      }
      guard !bytes.isEmpty else { throw shorter(tensor) }
      checksum.update(bytes)
      offset += bytes.count
    }
    return checksum
  }

  /// Reads all elements of `tensor`. For small ones.
  public func values(of tensor: SafetensorsTensor) throws(DataError) -> [Float] {
    var buffer = FloatBuffer(count: tensor.count)
    try read(tensor, into: &buffer, at: 0)
    return buffer.values()
  }

  /// The byte of the file at which an element stands.
  private func place(of element: Int, in tensor: SafetensorsTensor) -> Int {
    dataStart + tensor.bytes.lowerBound + element * tensor.type.bytes
  }

  private func readFloats(
    _ tensor: SafetensorsTensor, _ elements: Range<Int>, into buffer: inout FloatBuffer, at offset: Int
  ) throws(DataError) {
    guard !elements.isEmpty else { return }
    var all = buffer.mutableSpan
    var part = all._mutatingExtracting(offset..<offset + elements.count)
    let count: Int
    do { count = try file.read(at: place(of: elements.lowerBound, in: tensor), into: &part) } catch {
      throw DataError(reading: error)
    }
    guard count == elements.count else { throw shorter(tensor) }
  }

  /// - Parameter convert: takes the bits of an element.
  private func readConverting(
    _ tensor: SafetensorsTensor, _ elements: Range<Int>, into buffer: inout FloatBuffer, at offset: Int,
    _ convert: (UInt64) -> Float
  ) throws(DataError) {
    let width = tensor.type.bytes
    let step = 1 << 16
    var done = 0
    while done < elements.count {
      let count = min(step, elements.count - done)
      let start = place(of: elements.lowerBound + done, in: tensor)
      let bytes: [UInt8]
      do { bytes = try file.read(at: start, count: count * width) } catch { throw DataError(reading: error) }
      guard bytes.count == count * width else { throw shorter(tensor) }
      for index in 0..<count {
        var bits: UInt64 = 0
        for byte in 0..<width { bits |= UInt64(bytes[index * width + byte]) << (8 * UInt64(byte)) }
        buffer[offset + done + index] = convert(bits)
      }
      done += count
    }
  }

  private func shorter(_ tensor: SafetensorsTensor) -> DataError {
    DataError(
      .invalid, "'\(path)' ended within the tensor '\(shortened(tensor.name))': it became shorter while it was read")
  }
}
