import Files
public import Kernels
import Text

/// Writes elements of a safetensors file that many may write together, each its own places.
///
/// The file is made once (`create`), at its full size; then everyone opens it. It is whole once all have finished.
public final class SafetensorsWriter {
  public let path: String
  public let layout: SafetensorsLayout
  /// Nil once finished or given up.
  private var file: File?
  private var part = Checksum.Part()

  /// Makes the file at `path` with the header, and zeros for all elements. Closed before anyone opens it, so that it is seen over
  /// a network as well.
  /// - Throws: `DataError` if it cannot be made or written; then nothing is left at the path.
  public static func create(_ path: String, _ layout: SafetensorsLayout) throws(DataError) {
    do throws(FilesError) {
      let file = try File.create(path)
      do throws(FilesError) {
        try file.write(layout.header)
        try file.truncate(to: layout.bytes)
        try file.close()
      } catch {
        try? FileSystem.remove(path)
        throw error
      }
    } catch {
      throw Self.failed(error, path, layout)
    }
  }

  /// Opens the file of this layout that was made at `path`.
  /// - Parameter takesHeader: the header counts as written by this writer: true for one of those that write the file.
  /// - Throws: `DataError` if it is not there or cannot be written.
  public init(_ path: String, _ layout: SafetensorsLayout, takesHeader: Bool) throws(DataError) {
    self.path = path
    self.layout = layout
    do { file = try File.openForWriting(path) } catch { throw DataError(writing: error) }
    if takesHeader { part.update(layout.header, at: 0) }
  }

  /// Writes the elements of `buffer` in `range` to tensor `tensor`, from its element `index` on.
  ///
  /// A writer writes in the order of the file.
  public func write(
    _ buffer: borrowing FloatBuffer, _ range: Range<Int>, toTensor tensor: Int, from index: Int = 0
  ) throws(DataError) {
    let count = layout.tensors[tensor].count
    precondition(index >= 0 && range.count <= count - index, "\(range.count) elements from \(index) on of \(count)")
    let offset = layout.offset(ofTensor: tensor, element: index)
    let values = buffer.span.extracting(range)
    part.update(values, at: offset)
    try writing { (file) throws(FilesError) in try file.write(values, at: offset) }
  }

  /// Brings what was written to the disk.
  /// - Returns: what it was, for the checksum of the whole file.
  public func finish() throws(DataError) -> SafetensorsPart {
    try writing { (file) throws(FilesError) in try file.synchronize() }
    if let file = file.take() {
      do { try file.close() } catch { throw Self.failed(error, path, layout) }
    }
    return SafetensorsPart(bytes: part.count, contribution: part.contribution(length: layout.bytes))
  }

  private func writing(_ body: (borrowing File) throws(FilesError) -> Void) throws(DataError) {
    do {
      switch file {
      case .some(let file): try body(file)
      case .none: preconditionFailure("'\(path)' is finished already")
      }
    } catch {
      throw Self.failed(error, path, layout)
    }
  }

  private static func failed(_ error: FilesError, _ path: String, _ layout: SafetensorsLayout) -> DataError {
    let base = DataError(writing: error)
    return DataError(base.kind, base.message, hint: "'\(path)' needs \(Text.bytes(layout.bytes))")
  }
}
