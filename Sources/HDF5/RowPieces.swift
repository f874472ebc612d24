import CHDF5
import Glibc

/// Rows that lie in the file as they do in memory, read a piece at a time past the library: what does with them what is to be done finds
/// each piece in the processor's cache.
///
/// A piece is missing where the file is not as expected or a checksum does not agree: who has not been given all rows lets
/// `HDF5Dataset.read` read them, or say what is wrong.
public struct RowPieces: ~Copyable {
  /// Rows one behind the other in the file.
  struct Run {
    let offset: Int
    let rows: Int
    /// Whether their checksum stands behind them.
    let isChecked: Bool
  }

  private let descriptor: Int32
  private let rowBytes: Int
  private let runs: [Run]
  /// The file must not be closed meanwhile.
  private let session: FileSession

  private var run = 0
  private var done = 0
  private var checksum = Fletcher32()

  /// A piece and what is done with it stay in a core's second cache.
  private static let pieceBytes = 128 << 10

  init(_ runs: [Run], rowBytes: Int, descriptor: Int32, session: FileSession) {
    self.runs = runs
    self.rowBytes = rowBytes
    self.descriptor = descriptor
    self.session = session
  }

  /// The most rows of a piece.
  public var largest: Int { max(1, Self.pieceBytes / rowBytes) }

  /// Reads the next rows to the start of `destination`, which has room for the largest piece or all rows that are left; returns how many they
  /// are. Nil behind the last, and where they cannot be had.
  public mutating func next<Element: HDF5Element>(into destination: inout MutableSpan<Element>) -> Int? {
    guard run < runs.count else { return nil }
    let current = runs[run]
    let count = min(largest, current.rows - done)
    let start = current.offset + done * rowBytes
    let isRead = unsafe destination.withUnsafeMutableBytes { room in
      precondition(room.count >= count * rowBytes, "room for \(room.count) bytes, \(count * rowBytes) are read")
      let place = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<(count * rowBytes)])
      guard unsafe read(place, at: start) else { return false }
      if current.isChecked { unsafe checksum.add(UnsafeRawBufferPointer(place)) }
      return true
    }
    done += count
    guard isRead, done < current.rows || !current.isChecked || isSound(start + count * rowBytes) else {
      run = runs.count
      return nil
    }
    if done == current.rows {
      run += 1
      done = 0
      checksum = Fletcher32()
    }
    return count
  }

  /// Whether the checksum at `offset` is that of the rows before.
  private func isSound(_ offset: Int) -> Bool {
    var stored: UInt32 = 0
    let isRead = unsafe withUnsafeMutableBytes(of: &stored) { unsafe read($0, at: offset) }
    return isRead && UInt32(littleEndian: stored) == checksum.value
  }

  private func read(_ place: UnsafeMutableRawBufferPointer, at offset: Int) -> Bool {
    var done = 0
    while done < place.count {
      let count = unsafe pread(
        descriptor, place.baseAddress.map { unsafe $0 + done }, place.count - done, offset + done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}
