import Failures
import Files
import JSON
import Text
import Training

/// A checkpoint: its files, read and compared with their checksums.
struct CheckpointInspection: Inspection {
  let path: String
  /// What the manifest says, or what is wrong.
  let verified: Result<CheckpointManifest, Failure>
  private let files: [(name: String, bytes: Int)]

  init(_ path: String) throws {
    self.path = path
    files = try FileSystem.list(path).map { name in
      (name, try FileSystem.status(of: FileSystem.join(path, name))?.bytes ?? 0)
    }
    do {
      verified = .success(try CheckpointManifest(verifying: path))
    } catch {
      verified = .failure(Failure(error))
    }
  }

  var code: ExitCode {
    if case .failure(let failure) = verified { failure.code } else { .success }
  }

  /// `verified`, or what is damaged.
  var state: String {
    switch verified {
    case .success: "verified: every file has the checksum that the manifest says"
    case .failure(let failure): "damaged: \(failure.message)"
    }
  }

  var text: String {
    var listing = Listing()
    var table = Table([Table.Column("file"), Table.Column("size", .right), Table.Column("checksum")])
    var checksums: [String: String] = [:]
    if case .success(let manifest) = verified {
      listing.add("step", grouped(manifest.step))
      for entry in manifest.entries { checksums[entry.name] = entry.checksum }
    }
    listing.add("state", state)
    for (name, bytes) in files { table.append([Listing.line(name), Text.bytes(bytes), checksums[name] ?? ""]) }
    return "\(path): checkpoint\n\n" + listing.text + "\n" + table.rendered()
  }

  var json: JSONValue {
    var members: [(String, JSONValue)] = [("kind", "checkpoint"), ("path", .string(path))]
    switch verified {
    case .success(let manifest):
      members += [("step", .integer(manifest.step)), ("verified", true)]
      members.append(
        (
          "files",
          .array(
            manifest.entries.map {
              .object([("name", .string($0.name)), ("bytes", .integer($0.bytes)), ("checksum", .string($0.checksum))])
            })
        ))
    case .failure(let failure):
      members += [("verified", false), ("error", .string(failure.message))]
      members.append(
        ("files", .array(files.map { .object([("name", .string($0.name)), ("bytes", .integer($0.bytes))]) })))
    }
    return .object(members)
  }
}
