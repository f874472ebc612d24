public import Data
import Failures
import Files
public import Kernels
public import MPI
public import Model
import Parallel

/// The file of a model: `model.safetensors`.
public enum ModelFile {
  public static let name = "model.safetensors"

  /// Writes a model; the file is complete or not there.
  @discardableResult
  public static func write(
    _ parameters: borrowing FloatBuffer, _ description: ModelDescription, to path: String
  ) throws -> SafetensorsWriter.Receipt {
    try write(parameters, description.model.layout, metadata: description.metadata, to: path)
  }

  /// Writes tensors that are laid out like the parameters of a model.
  static func write(
    _ values: borrowing FloatBuffer, _ layout: ParameterLayout, prefix: String = "",
    metadata: [(key: String, value: String)] = [], to path: String
  ) throws -> SafetensorsWriter.Receipt {
    let tensors = layout.entries.map { SafetensorsWriter.Entry(prefix + $0.name, shape: $0.shape) }
    let writer = try SafetensorsWriter(path: path, tensors: tensors, metadata: metadata)
    for entry in layout.entries { try writer.append(values, entry.range) }
    return try writer.finish()
  }

  /// The path of the model file that `path` means: itself, or that of a run directory.
  public static func locate(_ path: String) throws -> String {
    guard let status = try FileSystem.status(of: path) else {
      throw Failure(.missingInput, "the model '\(path)' does not exist")
    }
    guard status.kind == .directory else { return path }
    let file = FileSystem.join(path, name)
    guard try FileSystem.status(of: file) != nil else {
      throw Failure(
        .missingInput, "the directory '\(path)' holds no \(name)",
        hint: "a run writes it when it ends; apus train --resume goes on with an interrupted one")
    }
    return file
  }

  /// The tensors of `layout`, in its order.
  /// - Throws: `DataError` (65) naming the tensor and both shapes where the file does not fit.
  @discardableResult
  static func check(
    _ file: borrowing SafetensorsFile, _ layout: ParameterLayout, prefix: String = ""
  ) throws -> [SafetensorsTensor] {
    let layers = layout.entries.count / 2
    if let extra = file.tensor(named: prefix + "layers.\(layers).weight") {
      throw DataError(
        .invalid,
        "'\(file.path)' has a tensor '\(extra.name)', and the model has \(layers) \(layers == 1 ? "layer" : "layers")")
    }
    return try layout.entries.map { entry in
      let name = prefix + entry.name
      guard let tensor = file.tensor(named: name) else {
        throw DataError(
          .invalid, "'\(file.path)' has no tensor '\(name)'; the model needs one of the shape \(entry.shape)")
      }
      guard tensor.shape == entry.shape else {
        throw DataError(
          .invalid, "'\(file.path)': the tensor '\(name)' has the shape \(tensor.shape), the model needs \(entry.shape)"
        )
      }
      return tensor
    }
  }

  /// Reads the tensors of `layout` on rank 0, which alone looks for `path`, and gives them to all. Collective.
  static func share(
    _ path: @autoclosure () throws -> String, _ layout: ParameterLayout, prefix: String = "",
    into values: inout FloatBuffer,
    world: borrowing Communicator
  ) throws {
    _ = try Agreement.fromRoot(world) {
      try read(try SafetensorsFile.open(try path()), layout, prefix: prefix, into: &values)
      return []
    }
    try world.broadcast(&values, root: 0)
  }

  /// Reads the tensors of `layout` into `values`.
  /// - Throws: `DataError` (65) naming the tensor and both shapes where the file does not fit.
  static func read(
    _ file: borrowing SafetensorsFile, _ layout: ParameterLayout, prefix: String = "", into values: inout FloatBuffer
  ) throws {
    let tensors = try check(file, layout, prefix: prefix)
    for (entry, tensor) in zip(layout.entries, tensors) {
      try file.read(tensor, into: &values, at: entry.range.lowerBound)
      if let index = Elementwise.firstNonFinite(values, entry.range) {
        throw DataError(
          .invalid,
          "'\(file.path)': element \(index - entry.range.lowerBound) of '\(prefix + entry.name)' is not finite")
      }
    }
  }
}

/// A model that was read from a file: description and parameters.
public final class LoadedModel {
  public let path: String
  public let description: ModelDescription
  public private(set) var parameters: FloatBuffer

  public var model: Model { description.model }

  /// Reads the model at `path`, a file or a run directory.
  public init(_ path: String) throws {
    let located = try ModelFile.locate(path)
    let file = try SafetensorsFile.open(located)
    self.path = located
    description = try ModelDescription(file)
    parameters = FloatBuffer(count: description.model.layout.count)
    try ModelFile.read(file, description.model.layout, into: &parameters)
  }

  /// Reads the model on every rank. Collective: all get it, or all throw the same failure.
  public static func load(_ path: String, world: borrowing Communicator) throws -> LoadedModel {
    var model: LoadedModel?
    try Agreement.everywhere(world) { model = try LoadedModel(path) }
    guard let model else { preconditionFailure("all ranks read '\(path)', and there is no model") }
    return model
  }

  /// Gives `body` the parameters to read.
  public func withParameters<Result>(_ body: (borrowing FloatBuffer) throws -> Result) rethrows -> Result {
    try body(parameters)
  }
}
