internal import Failures
internal import MPI

/// An output directory that all ranks write into: rank 0 makes it, moves it to its place or removes it.
final class SharedOutput {
  /// Where it is written.
  let partial: String
  /// On rank 0 until it is published or abandoned.
  private var directory: OutputDirectory?

  /// Makes an empty directory beside `path`. Collective.
  /// - Throws: a failure that all ranks share: see `OutputDirectory`.
  init(_ path: String, overwrite: Bool, _ world: borrowing some Ranks & ~Copyable) throws {
    var made: OutputDirectory?
    let place = try Agreement.fromRoot(world) {
      let directory = try OutputDirectory(path, overwrite: overwrite)
      let partial = Array(directory.partial.utf8)
      made = consume directory
      return partial
    }
    partial = String(decoding: place, as: UTF8.self)
    directory = made.take()
  }

  /// Moves the directory to its place. Collective.
  func publish(_ world: borrowing some Ranks & ~Copyable) throws {
    _ = try Agreement.fromRoot(world) {
      if let directory = directory.take() { try directory.publish() }
      return []
    }
  }

  /// Removes what was written.
  func abandon() {
    if let directory = directory.take() { directory.abandon() }
  }
}
