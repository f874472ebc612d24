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

  /// Takes away such files in its directory that killed jobs have left: ranks write every second, so that nobody is left to write one that
  /// is minutes older than this one, by the clock of their file system.
  func removeAbandoned() throws(FilesError) {
    guard let made = try FileSystem.status(of: path)?.modified else { return }
    let directory = FileSystem.directory(of: path)
    for name in try FileSystem.list(directory) where Self.isName(name) {
      let other = FileSystem.join(directory, name)
      guard let status = try FileSystem.status(of: other), status.kind == .regular, status.bytes % Beat.bytes == 0,
        made - status.modified > Self.abandonedAfter
      else { continue }
      try FileSystem.remove(other)
    }
  }

  /// Ten minutes, in nanoseconds.
  private static let abandonedAfter = 600_000_000_000

  /// Of a run, of a process, or of a file that is written.
  private static func isName(_ name: String) -> Bool {
    name.hasPrefix(Self.name + "-") || (name.hasPrefix(".") && name.hasSuffix(Self.name))
  }

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
