import Failures
import Files
public import JSON
import Text

/// A file of settings: a job, a recipe.
public struct SettingsFile: Sendable {
  /// Such a file is a page of text; what is larger is something else.
  private static let mostBytes = 1 << 20

  /// What it is called in messages, as "job file".
  private let kind: String
  /// The name that such a file has in a directory.
  private let usualName: String
  /// What to do where a file is none of the kind.
  private let hint: String

  public init(kind: String, usualName: String, hint: String) {
    self.kind = kind
    self.usualName = usualName
    self.hint = hint
  }

  /// The bytes of the file at `path`.
  /// - Throws: `Failure`: 66 where there is none (with a name that is like it), 77, or 78 for what can be none of the kind.
  public func read(_ path: String) throws -> [UInt8] {
    do {
      return try FileSystem.read(path, limit: Self.mostBytes)
    } catch {
      switch error.kind {
      case .missing, .notDirectory:
        throw Failure(.missingInput, "the \(kind) '\(path)' does not exist", hint: Self.neighbour(of: path))
      case .isDirectory:
        let inside = FileSystem.join(path, usualName)
        let isThere = (try? FileSystem.status(of: inside))?.kind == .regular
        throw Failure(
          .missingInput, "'\(path)' is a directory, not a \(kind)", hint: isThere ? "did you mean '\(inside)'?" : nil)
      case .tooLarge:
        throw Failure(
          .invalidJob, "'\(path)' is no \(kind): it has more than \(Text.bytes(Self.mostBytes))", hint: hint)
      default: throw error
      }
    }
  }

  /// What a file of settings says, JSON5.
  /// - Parameter source: its name, for messages.
  /// - Throws: `InvalidSettings` with the place where it is no JSON5.
  public static func parse(_ bytes: [UInt8], source: String) throws(InvalidSettings) -> JSONNode {
    do {
      return try JSONNode(parsing: bytes, dialect: .json5)
    } catch {
      let origin = SettingProblem.Origin.file(line: error.line, column: error.column)
      throw InvalidSettings(source: source, problems: [SettingProblem(origin: origin, message: error.message)])
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
