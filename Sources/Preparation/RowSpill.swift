internal import Files
internal import Kernels

/// The rows that a rank has made, in files beside the shards until it is known which shard each goes to.
///
/// Two files of float32 without gaps: the features, row after row, and the targets with two numbers a row: the value, and the
/// code of the value in the rank's `TargetScan`.
enum RowSpill {
  static let targetWidth = 2

  static let nameEnding = ".rows"
  static func featuresName(rank: Int) -> String { "features-\(rank)\(nameEnding)" }
  static func targetsName(rank: Int) -> String { "targets-\(rank)\(nameEnding)" }
  /// One byte a row: the place of its split in `SplitName.allCases`.
  static func routesName(rank: Int) -> String { "routes-\(rank)\(nameEnding)" }

  /// Removes the rows that all ranks have put aside.
  static func remove(from directory: String) throws(PreparationError) {
    try PreparationError.translating { () throws(FilesError) in
      for name in try FileSystem.list(directory) where name.hasSuffix(nameEnding) {
        try FileSystem.remove(FileSystem.join(directory, name))
      }
    }
  }

  /// Writes rows behind those written before.
  final class Writer {
    private let features: File
    private let targets: File
    private let columns: Int
    private(set) var rows = 0

    init(directory: String, rank: Int, columns: Int) throws(PreparationError) {
      self.columns = columns
      do throws(FilesError) {
        features = try File.create(FileSystem.join(directory, RowSpill.featuresName(rank: rank)))
        targets = try File.create(FileSystem.join(directory, RowSpill.targetsName(rank: rank)))
      } catch {
        throw PreparationError(error)
      }
    }

    func append(_ rows: Int, features block: borrowing FloatBuffer, targets blockTargets: borrowing FloatBuffer)
      throws(PreparationError)
    {
      do throws(FilesError) {
        try features.write(block.span.extracting(0..<rows * columns))
        try targets.write(blockTargets.span.extracting(0..<rows * RowSpill.targetWidth))
      } catch {
        throw PreparationError(error)
      }
      self.rows += rows
    }
  }

  /// Reads the rows of a rank.
  final class Reader {
    private let features: File
    private let targets: File
    private let columns: Int

    init(directory: String, rank: Int, columns: Int) throws(PreparationError) {
      self.columns = columns
      do throws(FilesError) {
        features = try File.openForReading(FileSystem.join(directory, RowSpill.featuresName(rank: rank)))
        targets = try File.openForReading(FileSystem.join(directory, RowSpill.targetsName(rank: rank)))
      } catch {
        throw PreparationError(error)
      }
    }

    /// Reads the features of the rows `range` to the start of `buffer`.
    func features(_ range: Range<Int>, into buffer: inout FloatBuffer) throws(PreparationError) {
      try Self.read(features, range, width: columns, into: &buffer)
    }

    /// Reads the values and codes of the targets of the rows `range` to the start of `buffer`.
    func targets(_ range: Range<Int>, into buffer: inout FloatBuffer) throws(PreparationError) {
      try Self.read(targets, range, width: RowSpill.targetWidth, into: &buffer)
    }

    private static func read(_ file: borrowing File, _ range: Range<Int>, width: Int, into buffer: inout FloatBuffer)
      throws(PreparationError)
    {
      let count = range.count * width
      var span = buffer.mutableSpan
      var free = span._mutatingExtracting(0..<count)
      let read: Int
      do throws(FilesError) {
        read = try file.read(at: range.lowerBound * width * MemoryLayout<Float>.stride, into: &free)
      } catch {
        throw PreparationError(error)
      }
      guard read == count else {
        throw PreparationError(.io, "'\(file.path)' ends after \(read) of \(count) numbers")
      }
    }
  }
}
