import Failures
import Files
import HDF5
import JSON
import Text

/// A shard, or any other HDF5 file.
struct HDF5Inspection: Inspection {
  let path: String
  let bytes: Int
  let contents: HDF5Contents

  init(_ path: String) throws {
    self.path = path
    contents = try HDF5Contents(path)
    bytes = try FileSystem.status(of: path)?.bytes ?? 0
  }

  var text: String {
    var parts = ["\(path): HDF5 file, \(Text.bytes(bytes))\n", datasets]
    if contents.isCut { parts.append("and more, which were not looked at\n") }
    parts.append(others)
    parts.append(attributes)
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var datasets: String {
    guard !contents.datasets.isEmpty else { return "it holds no data sets\n" }
    var table = Table([
      Table.Column("data set"), Table.Column("type"), Table.Column("shape"), Table.Column("chunk"),
      Table.Column("filters"),
      Table.Column("stored", .right),
    ])
    for (path, array) in contents.datasets {
      table.append([
        Listing.line(path), array.type, Listing.shape(array.shape), array.chunk.map(Listing.shape) ?? "none",
        array.filterNames.isEmpty ? "none" : array.filterNames.joined(separator: ", "), Text.bytes(array.storedBytes),
      ])
    }
    return table.rendered()
  }

  /// What is neither group nor data set.
  private var others: String {
    var listing = Listing()
    for object in contents.objects {
      if case .other(let what) = object.kind { listing.add(Listing.line(object.path), Listing.line(what)) }
    }
    return listing.text
  }

  private var attributes: String {
    var table = Table([Table.Column("attribute of"), Table.Column("name"), Table.Column("value")])
    for object in contents.objects {
      for (name, value) in object.attributes {
        table.append([Listing.line(object.path), Listing.line(name), Listing.line(Self.json(value).shown)])
      }
    }
    return table.rows.isEmpty ? "" : table.rendered()
  }

  var json: JSONValue {
    .object([
      ("kind", "hdf5"), ("path", .string(path)), ("bytes", .integer(bytes)),
      ("objects", .array(contents.objects.map(Self.json))), ("complete", .boolean(!contents.isCut)),
    ])
  }

  private static func json(_ object: HDF5Contents.Object) -> JSONValue {
    var members: [(String, JSONValue)] = [("path", .string(object.path))]
    switch object.kind {
    case .group: members.append(("kind", "group"))
    case .other(let what): members += [("kind", "other"), ("note", .string(what))]
    case .dataset(let array):
      members += [
        ("kind", "dataset"), ("type", .string(array.type)), ("shape", .integers(array.shape)),
        ("chunk", array.chunk.map { .integers($0) } ?? .null),
        (
          "filters",
          .object([
            ("shuffle", .boolean(array.filters.shuffle)),
            ("deflate", array.filters.deflate.map { .integer($0) } ?? .null),
            ("fletcher32", .boolean(array.filters.fletcher32)),
          ])
        ),
        ("stored_bytes", .integer(array.storedBytes)),
      ]
    }
    members.append(("attributes", .object(object.attributes.map { ($0.name, json($0.value)) })))
    return .object(members)
  }

  private static func json(_ value: Result<HDF5Attribute, HDF5Error>) -> JSONValue {
    switch value {
    case .failure(let error): .string("(\(error.message))")
    case .success(.string(let text)): .string(text)
    case .success(.strings(let texts)): .texts(texts)
    case .success(.integer(let integer)): .integer(integer)
    case .success(.integers(let integers)): .integers(integers)
    case .success(.number(let number)): .number(number)
    case .success(.numbers(let numbers)): .numbers(numbers)
    }
  }
}
