import Data
import Files
import JSON
import Model
import Text
import Training

/// A model file, or any other file of tensors.
struct TensorsInspection: Inspection {
  let path: String
  private let bytes: Int
  /// Nil where the file does not say that it is a model.
  let description: ModelDescription?
  private let tensors: [SafetensorsTensor]
  private let metadata: [(key: String, value: String)]

  init(_ path: String) throws {
    self.path = path
    let file = try ModelFile.open(path)
    bytes = try FileSystem.status(of: path)?.bytes ?? 0
    tensors = file.tensors
    metadata = file.metadata
    description = file.metadata("kind") == nil ? nil : try ModelDescription(file)
  }

  var text: String {
    "\(path): \(description == nil ? "tensors" : "model"), \(Text.bytes(bytes))\n\n" + head + "\n" + preparation
      + tensorTable
  }

  private var preparation: String {
    let text = PreparationListing.text(description?.preparation)
    return text.isEmpty ? "" : text + "\n"
  }

  private var head: String {
    var listing = Listing()
    guard let description else {
      for (key, value) in metadata { listing.add(Listing.line(key), Listing.line(value)) }
      listing.add("elements", grouped(tensors.reduce(0) { $0 + $1.count }))
      return listing.text
    }
    let model = description.model
    listing.add("kind", model.kind.rawValue)
    listing.add("layers", Self.layers(model))
    listing.add("loss", model.loss.rawValue)
    listing.add("parameters", grouped(model.layout.count))
    listing.add("target", description.target.map { Listing.line($0) })
    if !description.classNames.isEmpty {
      listing.add("classes", Listing.some(description.classNames.map { Listing.line($0, most: 40) }, most: 12))
    }
    listing.add(
      "columns",
      description.columns.isEmpty
        ? "without names" : Listing.some(description.columns.map { Listing.line($0, most: 40) }))
    listing.add("normalization", description.normalization == nil ? "none" : "mean and deviation of each column")
    if description.scale != 1 { listing.add("scale", significant(description.scale, digits: 9)) }
    listing.add("step", grouped(description.step))
    return listing.text
  }

  /// `64 -> 32 relu -> 10`
  static func layers(_ model: Model) -> String {
    model.sizes.indices.map { index in
      let isHidden = index > 0 && index < model.sizes.count - 1
      return "\(model.sizes[index])" + (isHidden ? " \(model.activation.rawValue)" : "")
    }.joined(separator: " -> ")
  }

  private var tensorTable: String {
    var table = Table([
      Table.Column("tensor"), Table.Column("type"), Table.Column("shape"), Table.Column("elements", .right),
    ])
    for tensor in tensors {
      table.append([
        Listing.line(tensor.name), tensor.type.rawValue, Listing.shape(tensor.shape), grouped(tensor.count),
      ])
    }
    return table.rendered()
  }

  var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("kind", description == nil ? "tensors" : "model"), ("path", .string(path)), ("bytes", .integer(bytes)),
    ]
    if let description { members.append(("model", Self.json(description))) }
    members.append(("metadata", .object(metadata.map { ($0.key, .string($0.value)) })))
    members.append(
      (
        "tensors",
        .array(
          tensors.map {
            .object([("name", .string($0.name)), ("type", .string($0.type.rawValue)), ("shape", .integers($0.shape))])
          })
      ))
    return .object(members)
  }

  private static func json(_ description: ModelDescription) -> JSONValue {
    let model = description.model
    let normalization = description.normalization.map { normalization in
      JSONValue.object([("means", .numbers(normalization.means)), ("scales", .numbers(normalization.scales))])
    }
    let job = try? JSONNode(parsing: Array(description.job.utf8), dialect: .json).value
    return .object([
      ("kind", .string(model.kind.rawValue)), ("sizes", .integers(model.sizes)),
      ("activation", model.depth > 1 ? .string(model.activation.rawValue) : .null),
      ("loss", .string(model.loss.rawValue)),
      ("parameters", .integer(model.layout.count)), ("classes", .texts(description.classNames)),
      ("columns", .texts(description.columns)), ("target", description.target.map { .string($0) } ?? .null),
      ("scale", .number(description.scale)), ("normalization", normalization ?? .null),
      ("preparation", description.preparation ?? .null), ("step", .integer(description.step)), ("job", job ?? .null),
    ])
  }
}
