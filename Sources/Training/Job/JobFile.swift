import Failures
import Files
import Text

/// The file of a job.
public enum JobFile {
  /// A job is a page of text; what is larger is something else.
  private static let mostBytes = 1 << 20

  /// The bytes of the job file at `path`.
  /// - Throws: `Failure`: 66 where there is none (with a name that is like it), 77, or 78 for what can be no job.
  public static func read(_ path: String) throws -> [UInt8] {
    do {
      return try FileSystem.read(path, limit: mostBytes)
    } catch {
      switch error.kind {
      case .missing, .notDirectory:
        throw Failure(.missingInput, "the job file '\(path)' does not exist", hint: neighbour(of: path))
      case .isDirectory:
        let inside = FileSystem.join(path, "job.json")
        let isThere = (try? FileSystem.status(of: inside))?.kind == .regular
        throw Failure(
          .missingInput, "'\(path)' is a directory, not a job file", hint: isThere ? "did you mean '\(inside)'?" : nil)
      case .tooLarge:
        throw Failure(
          .invalidJob, "'\(path)' is no job file: it has more than \(Text.bytes(mostBytes))",
          hint: "a job names its data: see apus train --help")
      default: throw error
      }
    }
  }

  /// What was meant by `path`, as far as the names around it tell.
  private static func neighbour(of path: String) -> String? {
    let directory = FileSystem.directory(of: path)
    let names = ((try? FileSystem.list(directory)) ?? []).filter { !$0.hasPrefix(".") }
    guard let near = closest(to: FileSystem.name(of: path), among: names) else { return nil }
    return "did you mean '\(directory == "." ? near : FileSystem.join(directory, near))'?"
  }
}
