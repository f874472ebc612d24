public import Files
import JSON
public import Kernels
import Text

/// Writes a safetensors file of float32 tensors: the same contents give the same bytes.
///
/// The header comes first, so names and shapes are given at the start; the elements follow in their order. The file is
/// written beside its place and takes its name in `finish`: complete or not there.
public final class SafetensorsWriter {
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

  /// What was written.
  public struct Receipt: Equatable, Sendable {
    public let bytes: Int
    /// Of all bytes of the file.
    public let checksum: Checksum
  }

  public let path: String
  /// Bytes that the whole file takes.
  public let bytes: Int
  private let partial: String
  /// Nil once finished or given up.
  private var file: File?
  private var checksum = Checksum()
  /// Elements of all tensors, and those written.
  private let count: Int
  private var written = 0

  /// Makes the file, beside its place, and writes the header.
  ///
  /// - Parameters:
  ///   - tensors: in the order in which their elements will be appended; names must differ.
  ///   - metadata: text, in the order in which it is to be written; keys must differ.
  /// - Throws: `DataError` if the file cannot be made or written.
  public init(
    path: String, tensors: [Entry], metadata: [(key: String, value: String)] = []
  ) throws(DataError) {
    precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors of one name in \(tensors.map(\.name))")
    precondition(Set(metadata.map(\.key)).count == metadata.count, "two metadata of one key in \(metadata.map(\.key))")
    let header = Self.header(tensors, metadata)
    self.path = path
    partial = FileSystem.partialPath(for: path)
    count = tensors.reduce(0) { $0 + $1.count }
    bytes = header.count + 4 * count
    do {
      file = try File.create(partial)
    } catch {
      throw DataError(writing: error)
    }
    checksum.update(header)
    try writing { (file) throws(FilesError) in try file.write(header) }
  }

  deinit {
    guard file != nil else { return }
    abandon()
  }

  /// Length and JSON, padded with spaces to a multiple of 8 bytes so that the elements are aligned.
  private static func header(_ tensors: [Entry], _ metadata: [(key: String, value: String)]) -> [UInt8] {
    var members: [(String, JSONValue)] = []
    if !metadata.isEmpty {
      members.append(("__metadata__", .object(metadata.map { ($0.key, JSONValue.string($0.value)) })))
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + 4 * tensor.count
      members.append(
        (
          tensor.name,
          .object([
            ("dtype", "F32"), ("shape", .array(tensor.shape.map { JSONValue.integer($0) })),
            ("data_offsets", .array([JSONValue.integer(offset), JSONValue.integer(end)])),
          ])
        ))
      offset = end
    }
    var text = Array(JSONValue.object(members).serialized(pretty: false).utf8)
    while text.last == UInt8(ascii: "\n") { text.removeLast() }
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    precondition(text.count <= SafetensorsHeader.mostBytes, "a header of \(text.count) bytes")
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }

  /// Writes the elements of `buffer` in `range` (all without one) behind those before.
  public func append(_ buffer: borrowing FloatBuffer, _ range: Range<Int>? = nil) throws(DataError) {
    let range = range ?? 0..<buffer.count
    precondition(written + range.count <= count, "\(written + range.count) elements for tensors of \(count)")
    let values = buffer.span.extracting(range)
    checksum.update(values)
    do { try file?.write(values) } catch { throw failed(error) }
    written += range.count
  }

  /// Writes `values` behind the elements before.
  public func append(_ values: [Float]) throws(DataError) {
    try append(FloatBuffer(values))
  }

  /// Brings the file to the disk and gives it its name. All elements must have been appended.
  /// - Returns: its size and checksum.
  /// - Throws: `DataError` if anything failed; then nothing is at the path that was not there before.
  @discardableResult
  public func finish() throws(DataError) -> Receipt {
    precondition(file != nil, "'\(path)' is finished already")
    precondition(written == count, "\(written) elements were appended, the tensors have \(count)")
    if let file = file.take() {
      do { try file.close() } catch { throw failed(error) }
    }
    do { try FileSystem.publish(partial, as: path) } catch { throw failed(error) }
    return Receipt(bytes: bytes, checksum: checksum)
  }

  /// Gives the file up and removes what was written.
  public func abandon() {
    if let file = file.take() { try? file.close() }
    try? FileSystem.remove(partial)
  }

  private func writing(_ body: (borrowing File) throws(FilesError) -> Void) throws(DataError) {
    do {
      switch file {
      case .some(let file): try body(file)
      case .none: preconditionFailure("'\(path)' is finished already")
      }
    } catch {
      throw failed(error)
    }
  }

  private func failed(_ error: FilesError) -> DataError {
    abandon()
    let base = DataError(writing: error)
    return DataError(base.kind, base.message, hint: "'\(path)' needs \(Text.bytes(bytes))")
  }
}
