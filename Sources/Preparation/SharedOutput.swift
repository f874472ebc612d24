internal import Data
internal import MPI

/// An output directory that all ranks write into: rank 0 makes it, moves it to its place or removes it.
final class SharedOutput {
  /// Where it will be.
  let path: String
  /// Where it is written.
  let partial: String
  /// On rank 0 until it is published or abandoned.
  private var directory: OutputDirectory?

  /// Makes an empty directory beside `path`. Collective.
  /// - Throws: `PreparationError`, the same on every rank: see `OutputDirectory`.
  init(_ path: String, _ mode: OutputDirectory.Mode, _ world: borrowing some Ranks & ~Copyable) throws {
    var made: OutputDirectory?
    let places = try world.fromRoot { () throws(PreparationError) in
      let directory = try OutputDirectory(path, mode)
      var places = ByteWriter()
      places.write(directory.path)
      places.write(directory.partial)
      made = consume directory
      return places.bytes
    }
    var reader = ByteReader(places)
    self.path = try reader.readString()
    partial = try reader.readString()
    directory = made.take()
  }

  /// Moves the directory to its place. Collective.
  func publish(_ world: borrowing some Ranks & ~Copyable) throws {
    try world.together { () throws(PreparationError) in
      if let directory = directory.take() { try directory.publish() }
    }
  }

  /// Removes what was written.
  func abandon() {
    if let directory = directory.take() { directory.abandon() }
  }
}
