import Files

/// `.beats` of a run, or a file of another name of another command: a line for each rank, which it writes itself, so that the others know what it did last.
///
/// Opened and closed for each use: a network file system shows what another host wrote only then.
public struct BeatFile: Sendable {
  public static let name = ".beats"

  let path: String
  let ranks: Int

  init(_ path: String, ranks: Int) {
    self.path = path
    self.ranks = ranks
  }

  /// Makes the file, in which no rank has said anything yet.
  func create() throws(FilesError) { try FileSystem.write([], to: path, atomically: false) }

  func write(_ beat: Beat, rank: Int) throws(FilesError) {
    let file = try File.openForWriting(path)
    try file.write(beat.record.span, at: rank * Beat.bytes)
    try file.close()
  }

  /// The last beat of each rank; nil for one that is not known.
  func read() throws(FilesError) -> [Beat?] {
    let bytes = try FileSystem.read(path, limit: ranks * Beat.bytes)
    return (0..<ranks).map { rank in
      Beat(record: bytes.dropFirst(rank * Beat.bytes).prefix(Beat.bytes))
    }
  }
}
