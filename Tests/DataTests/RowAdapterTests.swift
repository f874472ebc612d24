import Kernels
import Testing

@testable import Data

/// Rows of several data sets as those of one model.
@Suite struct RowAdapterTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func dataset(_ name: String, rows: [[Double]], targets: [Int32]) throws -> ShardedDataset {
    let path = try writeShard(
      scratch.file(name), features: rows.flatMap { $0 }, shape: [rows.count, rows[0].count], targets: targets)
    return try ShardedDataset(
      descriptions: [.attempt(path: path, features: "features", targets: "targets", scanLabels: false)])
  }

  private func read(_ dataset: ShardedDataset, classes: Int, _ transform: FeatureTransform = .none) throws
    -> (features: [Float], targets: [Float])
  {
    let reader = try RowReader(dataset: dataset, targetUse: .classIndex(classes: classes), transform: transform)
    var features = FloatBuffer(count: dataset.rows * dataset.columns)
    var targets = FloatBuffer(count: dataset.rows)
    try reader.read(rows: 0..<dataset.rows, features: &features, targets: &targets)
    return (features.values(in: 0..<features.count), targets.values(in: 0..<targets.count))
  }

  @Test func columnsAndClassesFindTheirPlaces() throws {
    let old = try dataset("old.h5", rows: [[1, 2], [3, 4]], targets: [0, 1])
    let new = try dataset("new.h5", rows: [[30, 20, 10], [60, 50, 40], [90, 80, 70]], targets: [0, 1, 0])
    let normalization = try Normalization(means: [1, 2, 5], scales: [2, 4, 5])
    let joined = try ShardedDataset(
      joining: [
        (new, RowAdapter(places: [2, 1, 0], classes: [2, 0], columns: 3, model: normalization)),
        (old, RowAdapter(places: [0, 1], columns: 3, model: normalization)),
        (old, RowAdapter(places: [0, 1], columns: 3, model: normalization)),
      ], manifest: nil)
    #expect(joined.rows == 7 && joined.columns == 3)
    let raw = try read(joined, classes: 3)
    #expect(raw.features == [10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 2, 5, 3, 4, 5, 1, 2, 5, 3, 4, 5])
    #expect(raw.targets == [2, 0, 2, 0, 1, 0, 1])
    let normalized = try read(joined, classes: 3, FeatureTransform(normalization: normalization))
    #expect(Array(normalized.features.suffix(6)) == [0, 0, 0, 1, 0.5, 0], "a column that is not there is at its mean")
  }

  /// Columns that the model has not are passed over, be they finite or not.
  @Test func columnsAreLeftOut() throws {
    let data = try dataset("wide.h5", rows: [[7, 2, .nan], [8, 4, 9]], targets: [0, 1])
    let model = try Normalization(means: [5, 0, 1], scales: [1, 1, 1])
    let joined = try ShardedDataset(
      joining: [(data, RowAdapter(places: [2, 1, nil], columns: 3, model: model))], manifest: nil)
    #expect(try read(joined, classes: 2).features == [5, 2, 7, 5, 4, 8])
  }

  /// The rows of a training come once an epoch, and as often as their data set was joined.
  @Test func repeatedRowsComeAgain() throws {
    let one = try dataset("one.h5", rows: [[1], [2]], targets: [0, 0])
    let two = try dataset("two.h5", rows: [[3], [4], [5]], targets: [1, 1, 1])
    let adapter = try RowAdapter(places: [0], columns: 1)
    let joined = try ShardedDataset(
      joining: [(one, adapter)] + Array(repeating: (two, adapter), count: 3), manifest: nil)
    let order = joined.order(virtualRanks: 2, seed: 1, shuffle: true)
    let reader = try BatchReader(
      dataset: joined, order: order, virtualRanks: 0..<2, targetUse: .classIndex(classes: 2), residentBytes: 0)
    let found = try reader.withBatch(epoch: 0, positions: 0..<11) { features, view, _, _ in
      features.values(in: view.offset..<view.offset + view.rows)
    }
    #expect(found.sorted() == [1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5])
  }

  @Test func storedNormalizationsAreUndone() throws {
    let stored = try Normalization(means: [10, -2], scales: [4, 0.5])
    let raw: [[Double]] = [[14, -2], [2, 3]]
    let data = try dataset(
      "stored.h5", rows: raw.map { row in (0..<2).map { (row[$0] - stored.means[$0]) / stored.scales[$0] } },
      targets: [0, 1])
    let joined = try ShardedDataset(
      joining: [(data, RowAdapter(places: [0, 1], columns: 2, stored: stored))], manifest: nil)
    #expect(try read(joined, classes: 2).features == [14, -2, 2, 3])
  }

  @Test func errorsNameWhatIsStored() throws {
    let data = try dataset("odd.h5", rows: [[1, 2], [.nan, 4]], targets: [0, 2])
    let joined = try ShardedDataset(
      joining: [(data, RowAdapter(places: [1, 0], classes: [3, 4], columns: 2))], manifest: nil)
    #expect { try read(joined, classes: 5) } throws: { "\($0)".contains("odd.h5") && "\($0)".contains("row 1") }
    let labels = try dataset("labels.h5", rows: [[1, 2], [3, 4]], targets: [0, 2])
    let other = try ShardedDataset(
      joining: [(labels, RowAdapter(places: [1, 0], classes: [3, 4], columns: 2))], manifest: nil)
    #expect { try read(other, classes: 5) } throws: { "\($0)".contains("a whole number from 0 to 1") }
  }
}
