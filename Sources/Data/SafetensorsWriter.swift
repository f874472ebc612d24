public import Files
public import Kernels
import Text

/// Writes elements of a safetensors file that many may write together, each its own places.
///
/// Whoever comes first makes the file. It is whole once all have finished and one of them has sealed it: only then it has a header.
public final class SafetensorsWriter {
  public let path: String
  public let layout: SafetensorsLayout
  /// Nil once finished or given up.
  private var file: File?
  private var bytes = 0
  /// Of the bytes of each tensor.
  private var parts: [Checksum.Part]

  /// Opens the file of this layout at `path`, or makes it.
  /// - Throws: `DataError` if it cannot be made or written.
  public init(_ path: String, _ layout: SafetensorsLayout) throws(DataError) {
    self.path = path
    self.layout = layout
    parts = [Checksum.Part](repeating: Checksum.Part(), count: layout.tensors.count)
    do throws(FilesError) {
      let file = try File.openOrCreate(path)
      // One that was a checkpoint's before has its room.
      if layout.bytes >= SafetensorsLayout.largeBytes, try file.size < layout.bytes {
        try file.reserve(bytes: layout.bytes)
      }
      self.file = consume file
    } catch {
      throw Self.failed(error, path, layout)
    }
  }

  /// Writes the elements of `buffer` in `range` to tensor `tensor`, from its element `index` on.
  ///
  /// A writer writes in the order of the file.
  public func write(
    _ buffer: borrowing FloatBuffer, _ range: Range<Int>, toTensor tensor: Int, from index: Int = 0
  ) throws(DataError) {
    let count = layout.tensors[tensor].count
    precondition(index >= 0 && range.count <= count - index, "\(range.count) elements from \(index) on of \(count)")
    parts[tensor].update(buffer.span.extracting(range), at: MemoryLayout<Float>.stride * index)
    bytes += MemoryLayout<Float>.stride * range.count
    let piece = File.Piece(range, at: layout.offset(ofTensor: tensor, element: index))
    try writing { (file) throws(FilesError) in try file.writePastCache(buffer.span, [piece]) }
  }

  /// Writes elements of many tensors at once, of which the checksums are known already.
  /// - Parameters:
  ///   - pieces: where they are in the buffer, and the first element of each piece among those of all tensors.
  ///   - sums: what all pieces together contribute to the tensors that they are of. Nothing else of these is written.
  public func write(
    _ buffer: borrowing FloatBuffer, _ pieces: [(range: Range<Int>, element: Int)],
    _ sums: [(tensor: Int, part: Checksum.Part)]
  ) throws(DataError) {
    for sum in sums { parts[sum.tensor] = sum.part }
    bytes += sums.reduce(0) { $0 + $1.part.count }
    let pieces = pieces.map { File.Piece($0.range, at: layout.offset(ofTensor: 0, element: $0.element)) }
    try writing { (file) throws(FilesError) in try file.writePastCache(buffer.span, pieces) }
  }

  /// Brings what was written to the disk.
  /// - Parameter isSealedHere: the file is sealed on this host afterwards, which brings all to the disk that was written on it.
  /// - Returns: what it was, for the checksums of the whole.
  public func finish(isSealedHere: Bool = false) throws(DataError) -> SafetensorsPart {
    if !isSealedHere { try writing { (file) throws(FilesError) in try file.synchronize() } }
    if let file = file.take() {
      do { try file.close() } catch { throw Self.failed(error, path, layout) }
    }
    let contributions = zip(layout.tensors, parts).map { tensor, part in part.contribution(length: 4 * tensor.count) }
    return SafetensorsPart(bytes: bytes, contributions: contributions)
  }

  /// Makes the file at `path`, into which all elements were written in `parts`, a whole one, and brings that to the disk.
  /// - Throws: `DataError` if it cannot be written.
  public static func seal(
    _ path: String, _ layout: SafetensorsLayout, _ parts: [SafetensorsPart]
  ) throws(DataError) -> SafetensorsLayout.Receipt {
    let receipt = layout.receipt(of: parts)
    do throws(FilesError) {
      let file = try File.openOrCreate(path)
      try file.write(receipt.header.span, at: 0)
      // Behind the elements there may be what an earlier file of this name had, whose writer was killed.
      try file.cut(to: receipt.bytes)
      try file.synchronize()
      try file.close()
    } catch {
      throw failed(error, path, layout)
    }
    return receipt
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
