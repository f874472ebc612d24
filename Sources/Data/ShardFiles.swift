import HDF5
import Kernels

/// The open shards of one reader: opened when first needed, the least recently used closed when there are too many.
final class ShardFiles {
  /// An open data set, which keeps its file open.
  final class OpenSet {
    private let set: HDF5Dataset

    init(_ set: consuming HDF5Dataset) { self.set = set }

    /// Reads rows to the first elements of `range` in a buffer, of which the others may be written over. The conversion of what is not float32 is asked for by name.
    func read(_ rows: Range<Int>, into buffer: inout FloatBuffer, _ range: Range<Int>) throws(DataError) {
      var all = buffer.mutableSpan
      var part = all._mutatingExtracting(range)
      do throws(HDF5Error) {
        if set.elementType == .float32 {
          try set.read(rows: rows, into: &part)
        } else {
          try set.readConverting(rows: rows, into: &part)
        }
      } catch {
        throw DataError(error)
      }
    }

    /// The same rows in pieces, past the library; nil where that is not possible.
    func pieces(of rows: Range<Int>) -> RowPieces? { set.pieces(of: rows, as: Float.self) }

    /// Reads rows in full precision to the element `start` and what follows.
    func read(_ rows: Range<Int>, into values: inout [Double], from start: Int) throws(DataError) {
      guard let width = rowSize(of: set.shape) else { throw DataError(.invalid, "rows without a size") }
      var all = values.mutableSpan
      var part = all._mutatingExtracting(start..<start + rows.count * width)
      do throws(HDF5Error) {
        try set.readConverting(rows: rows, into: &part)
      } catch {
        throw DataError(error)
      }
    }

    /// The stored values of one row in full precision; nil if they cannot be read.
    func values(ofRow row: Int) -> [Double]? {
      guard let count = rowSize(of: set.shape) else { return nil }
      var values = [Double](repeating: 0, count: count)
      var span = values.mutableSpan
      guard (try? set.readConverting(rows: row..<row + 1, into: &span)) != nil else { return nil }
      return values
    }
  }

  /// What is open of a shard; nil for what is not needed.
  struct OpenShard {
    let features: OpenSet?
    let targets: OpenSet?
  }

  /// Each open shard holds a descriptor and two chunk caches.
  static let mostOpen = 8

  private let dataset: ShardedDataset
  private let needs: RowParts
  /// The most recently used last.
  private var open: [(index: Int, shard: OpenShard)] = []

  init(dataset: ShardedDataset, needs: RowParts) {
    self.dataset = dataset
    self.needs = needs
    open.reserveCapacity(Self.mostOpen + 1)
  }

  /// The indices of the shards that are open now.
  var openShards: [Int] { open.map(\.index).sorted() }

  /// Shard `index`, which is opened if it is not.
  func shard(_ index: Int) throws(DataError) -> OpenShard {
    if let last = open.last, last.index == index { return last.shard }
    // Rows that come several times are several shards of one file.
    let path = dataset.shards[index].path
    if let place = open.firstIndex(where: { $0.index == index || dataset.shards[$0.index].path == path }) {
      let entry = open.remove(at: place)
      open.append((index, entry.shard))
      return entry.shard
    }
    if open.count >= Self.mostOpen { open.removeFirst() }
    let shard = try openShard(dataset.shards[index])
    open.append((index, shard))
    return shard
  }

  private func openShard(_ description: ShardDescription) throws(DataError) -> OpenShard {
    let file = try DataError.wrapping { () throws(HDF5Error) in
      try HDF5File.open(description.path, trusted: description.isTrusted)
    }
    var features: OpenSet?
    if needs.contains(.features) {
      let set = try file.dataSet(named: description.features, role: "features")
      guard set.shape == description.featureShape, set.elementType == description.featureType else {
        throw Self.changed(description)
      }
      features = OpenSet(set)
    }
    var targets: OpenSet?
    if needs.contains(.targets), let name = description.targets {
      let set = try file.dataSet(named: name, role: "targets")
      guard set.shape == description.targetShape, set.elementType == description.targetType else {
        throw Self.changed(description)
      }
      targets = OpenSet(set)
    }
    return OpenShard(features: features, targets: targets)
  }

  private static func changed(_ description: ShardDescription) -> DataError {
    DataError(.invalid, "'\(description.path)' was changed by another program since the start of this one")
  }
}
