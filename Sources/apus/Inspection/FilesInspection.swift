import Failures
import JSON
import Text
import Training

/// HDF5 files without a `dataset.json`: a directory of them, or those that a pattern matches.
struct FilesInspection: Inspection {
  /// Files that a table for people names.
  private static let mostFiles = 40

  let path: String
  private let files: [(path: String, found: Result<HDF5Inspection, Failure>)]

  init(_ path: String, files: [String]) {
    self.path = path
    self.files = files.map { file in
      do {
        return (file, .success(try HDF5Inspection(file)))
      } catch {
        return (file, .failure(Failure(error)))
      }
    }
  }

  private var failures: [Failure] {
    files.compactMap { file in
      if case .failure(let failure) = file.found { failure } else { nil }
    }
  }

  var code: ExitCode { failures.first?.code ?? .success }

  var text: String {
    var table = Table([
      Table.Column("file"), Table.Column("data set"), Table.Column("type"), Table.Column("shape"),
      Table.Column("stored", .right),
    ])
    for (path, found) in files.prefix(Self.mostFiles) {
      guard case .success(let file) = found else { continue }
      for (name, array) in file.contents.datasets {
        table.append([path, Listing.line(name), array.type, Listing.shape(array.shape), Text.bytes(array.storedBytes)])
      }
    }
    var text = "\(path): \(grouped(files.count)) HDF5 \(files.count == 1 ? "file" : "files") without a dataset.json\n\n"
    text += table.rendered()
    if files.count > Self.mostFiles { text += "and \(grouped(files.count - Self.mostFiles)) more files\n" }
    if !failures.isEmpty { text += "\n" + failures.map { "\($0.message)\n" }.joined() }
    return text
  }

  var json: JSONValue {
    .object([
      ("kind", "files"), ("path", .string(path)),
      (
        "files",
        .array(
          files.map { file in
            switch file.found {
            case .success(let inspection): inspection.json
            case .failure(let failure): .object([("path", .string(file.path)), ("error", .string(failure.message))])
            }
          })
      ),
    ])
  }
}
