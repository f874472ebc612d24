import Failures
import Files
import HDF5

/// Predictions as data sets of an HDF5 file: `values` of a regression; `labels` with `probabilities` or `scores`, and the names
/// of the `classes`.
///
/// Shapes: [rows] where a row has one number, else [rows, width].
final class HDF5PredictionWriter: PredictionWriter {
  private let path: String
  private let partial: String
  private let schema: PredictionSchema
  /// Nil once finished or given up.
  private var file: HDF5File?
  private var labels: OpenSet?
  private var numbers: OpenSet?
  private var rows = 0

  private final class OpenSet {
    let set: HDF5Dataset
    init(_ set: consuming HDF5Dataset) { self.set = set }
  }

  init(path: String, schema: PredictionSchema) throws {
    self.path = path
    self.schema = schema
    partial = FileSystem.partialPath(for: path)
    do throws(HDF5Error) {
      let file = try HDF5File.create(partial)
      if !schema.classNames.isEmpty { try file.createDataset(named: "classes", strings: schema.classNames) }
      self.file = consume file
    } catch {
      try? FileSystem.remove(partial)
      throw Failure.writing(path, error)
    }
  }

  deinit { abandon() }

  func append(_ block: PredictionBlock) throws {
    let count = block.numbers.count / schema.width
    guard count > 0 else { return }
    do throws(HDF5Error) {
      try createSets(chunkRows: count)
      let range = rows..<rows + count
      if let labels { try labels.set.write(block.labels.span, rows: range) }
      if let numbers { try numbers.set.write(block.numbers.span, rows: range) }
      rows += count
    } catch {
      throw Failure.writing(path, error)
    }
  }

  func finish() throws {
    do throws(HDF5Error) {
      try createSets(chunkRows: 1)
      labels = nil
      numbers = nil
      if let file = file.take() { try file.close() }
    } catch {
      abandon()
      throw Failure.writing(path, error)
    }
    do throws(FilesError) {
      try FileSystem.publish(partial, as: path)
    } catch {
      try? FileSystem.remove(partial)
      throw Failure.writing(path, error)
    }
  }

  func abandon() {
    labels = nil
    numbers = nil
    guard let file = file.take() else { return }
    try? file.close()
    try? FileSystem.remove(partial)
  }

  /// Makes the data sets when the first block comes: how many rows there will be need not be known, and each block is a chunk.
  private func createSets(chunkRows: Int) throws(HDF5Error) {
    guard numbers == nil else { return }
    if schema.labels > 0 { labels = try create("labels", .int32, width: schema.labels, chunkRows) }
    numbers = try create(schema.numbers.rawValue, .float32, width: schema.width, chunkRows)
  }

  private func create(_ name: String, _ type: ElementType, width: Int, _ chunkRows: Int) throws(HDF5Error) -> OpenSet? {
    let others = width == 1 ? [] : [width]
    switch file {
    case .some(let file):
      return OpenSet(
        try file.createDataset(
          named: name, type: type, shape: [0] + others, chunk: [chunkRows] + others, filters: Filters(fletcher32: true),
          maximumRows: .unlimited))
    case .none: return nil
    }
  }
}
