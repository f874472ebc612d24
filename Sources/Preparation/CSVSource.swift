package import Files

/// Where the bytes of a table come from.
package enum CSVSource: ~Copyable {
  case bytes([UInt8])
  case file(File)
  case gzip(GzipFile)

  /// - Throws: `PreparationError` if there is no such file, or it is none that can be read twice.
  package static func open(_ path: String) throws(PreparationError) -> CSVSource {
    let status = try PreparationError.translating { () throws(FilesError) in try FileSystem.status(of: path) }
    guard let status else {
      throw PreparationError(.missing, "cannot open '\(path)': there is no such file")
    }
    switch status.kind {
    case .regular:
      return try PreparationError.translating { () throws(FilesError) in
        let file = try File.openForReading(path)
        // By its content: a name says little, and Spark's parts are all called part-00000.
        return GzipFile.isMagic(try file.read(at: 0, count: 2)) ? .gzip(try GzipFile(file)) : .file(file)
      }
    case .directory:
      throw PreparationError(
        .missing, "'\(path)' is a directory, not a CSV file", hint: "name the files in it: '\(path)'/*.csv")
    case .other:
      throw PreparationError(
        .missing, "'\(path)' is no regular file", hint: "the table is read more than once, so it cannot be a pipe")
    }
  }

  /// How many bytes there are; of a compressed file after decompression, which takes as long as reading all of it.
  package func size() throws(PreparationError) -> Int {
    switch self {
    case .bytes(let bytes): return bytes.count
    case .file(let file):
      do {
        return try file.size
      } catch {
        throw PreparationError(error)
      }
    case .gzip(let file):
      do {
        return try file.contentSize()
      } catch {
        throw PreparationError(error)
      }
    }
  }

  /// How many bytes there are in a file that is not compressed; nil where nobody can say without reading all of it.
  package var storedBytes: Int? {
    switch self {
    case .bytes(let bytes): return bytes.count
    case .file(let file): return try? file.size
    case .gzip: return nil
    }
  }

  /// Reads up to `count` bytes from `offset` on (as many as there is room for without it) into `buffer` from `start` on; zero
  /// at the end.
  package func read(
    at offset: Int, into buffer: inout [UInt8], from start: Int, count: Int = .max
  ) throws(PreparationError) -> Int {
    let room = min(count, buffer.count - start)
    switch self {
    case .bytes(let bytes):
      let count = max(0, min(bytes.count - offset, room))
      for index in 0..<count { buffer[start + index] = bytes[offset + index] }
      return count
    case .file(let file):
      var bytes = buffer.mutableSpan
      var free = bytes._mutatingExtracting(start..<start + room)
      do {
        return try file.read(at: offset, into: &free)
      } catch {
        throw PreparationError(error)
      }
    case .gzip(let file):
      var bytes = buffer.mutableSpan
      var free = bytes._mutatingExtracting(start..<start + room)
      do {
        return try file.read(at: offset, into: &free)
      } catch {
        throw PreparationError(error)
      }
    }
  }
}
