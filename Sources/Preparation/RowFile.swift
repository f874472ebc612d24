internal import Files
internal import Kernels

/// Rows of float32 in a file, one behind the other, all of one width.
final class RowFile {
  private let file: File
  private let width: Int

  /// Makes the file.
  init(creating path: String, width: Int) throws(PreparationError) {
    self.width = width
    file = try PreparationError.translating { () throws(FilesError) in try File.create(path) }
  }

  /// Opens the file to read it.
  init(opening path: String, width: Int) throws(PreparationError) {
    self.width = width
    file = try PreparationError.translating { () throws(FilesError) in try File.openForReading(path) }
  }

  /// Writes `count` rows of `buffer`, from its row `first` on, as row `place` of the file and those behind; rows in between that
  /// were not written take no room.
  func write(_ buffer: borrowing FloatBuffer, from first: Int = 0, count: Int, at place: Int) throws(PreparationError) {
    let span = buffer.span.extracting(first * width..<(first + count) * width)
    do throws(FilesError) {
      try file.write(span, at: place * width * MemoryLayout<Float>.stride)
    } catch {
      throw PreparationError(error)
    }
  }

  /// Reads the rows `range` of the file to row `place` of `buffer` and those behind.
  func read(_ range: Range<Int>, into buffer: inout FloatBuffer, at place: Int = 0) throws(PreparationError) {
    let count = range.count * width
    var span = buffer.mutableSpan
    var free = span._mutatingExtracting(place * width..<place * width + count)
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
