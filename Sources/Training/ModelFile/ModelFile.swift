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
  /// What a model is called that has become worse than the one it was to replace.
  public static let refusedName = "refused.safetensors"

  /// The file of a model of this description.
  static func layout(of description: ModelDescription) -> SafetensorsLayout {
    layout(of: description.model.layout, metadata: description.metadata, carriesChecksum: true)
  }

  /// A file of tensors that are laid out like the parameters of a model, once for each of `prefixes`.
  static func layout(
    of parameters: ParameterLayout, prefixes: [String] = [""], metadata: [(key: String, value: String)] = [],
    carriesChecksum: Bool = false
  ) -> SafetensorsLayout {
    SafetensorsLayout(
      prefixes.flatMap { prefix in
        parameters.entries.map { SafetensorsLayout.Entry(prefix + $0.name, shape: $0.shape) }
      }, metadata: metadata, carriesChecksum: carriesChecksum)
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

  /// Opens a model file, and reads all of it once to compare it with the checksum that it carries.
  ///
  /// Files of the first format, and those of other programs, carry none.
  /// - Throws: `DataError` (65) where the file is damaged.
  public static func open(_ path: String) throws(DataError) -> SafetensorsFile {
    let file = try SafetensorsFile.open(path)
    guard try file.verify() || file.metadata("format") != ModelDescription.format else {
      throw DataError(.invalid, "'\(path)' is damaged: its metadata have no checksum")
    }
    return file
  }

  /// Writes a whole model to `path` and brings it to the disk; the file is complete only once this has returned.
  /// - Returns: what the manifest of a checkpoint says of it.
  package static func write(
    _ values: borrowing FloatBuffer, _ description: ModelDescription, to path: String
  ) throws -> CheckpointManifest.Entry {
    let layout = layout(of: description)
    let writer = try SafetensorsWriter(path, layout)
    for (tensor, entry) in description.model.layout.entries.enumerated() {
      try writer.write(values, entry.range, toTensor: tensor)
    }
    return CheckpointManifest.Entry(
      name: name, layout, try SafetensorsWriter.seal(path, layout, [try writer.finish()]))
  }

  /// Where to write the model that shall appear at `path` in one step; the same on every rank.
  static func partialPath(for path: String) -> String {
    FileSystem.join(FileSystem.directory(of: path), ".\(FileSystem.name(of: path)).partial")
  }

  /// Writes a whole model, which is at `path` complete or not at all.
  package static func publish(
    _ values: borrowing FloatBuffer, _ description: ModelDescription, as path: String
  ) throws {
    let partial = partialPath(for: path)
    do {
      _ = try write(values, description, to: partial)
      try FileSystem.publish(partial, as: path)
    } catch {
      try? FileSystem.remove(partial)
      throw error
    }
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

  /// Reads `runs` of the tensors of `whole` from the file at `path`, on the ranks that give `reads`. Collective: all get through, or
  /// all throw the same failure.
  /// - Parameter origin: the place in a rank's layout that the buffer begins with.
  static func read(
    _ path: @autoclosure () throws -> String, _ whole: ParameterLayout, prefix: String = "", _ runs: [TensorRun],
    origin: Int = 0, into values: inout FloatBuffer, where reads: Bool, world: borrowing Communicator
  ) throws {
    try Agreement.everywhere(world) {
      guard reads else { return }
      try read(SafetensorsFile.open(path()), whole, prefix: prefix, runs, origin: origin, into: &values)
    }
  }

  /// Reads `runs` of the tensors of `whole` into `values`.
  /// - Throws: `DataError` (65) naming the tensor and both shapes where the file does not fit.
  static func read(
    _ file: borrowing SafetensorsFile, _ whole: ParameterLayout, prefix: String = "", _ runs: [TensorRun],
    origin: Int = 0, into values: inout FloatBuffer
  ) throws {
    let tensors = try check(file, whole, prefix: prefix)
    for run in runs {
      let tensor = tensors[run.tensor]
      let place = run.local.lowerBound - origin
      try file.read(tensor, run.elements, into: &values, at: place)
      if let index = Elementwise.firstNonFinite(values, place..<place + run.local.count) {
        throw DataError(
          .invalid, "'\(file.path)': element \(run.start + index - place) of '\(tensor.name)' is not finite")
      }
    }
  }
}

extension SafetensorsWriter {
  /// Writes those of `values` that are in `runs`.
  /// - Parameters:
  ///   - origin: the place in a rank's layout that the buffer begins with.
  ///   - first: the tensor of the file that the first of the model is.
  func write(
    _ values: borrowing FloatBuffer, _ runs: [TensorRun], origin: Int = 0, fromTensor first: Int = 0
  ) throws(DataError) {
    for run in runs {
      let place = run.local.lowerBound - origin
      try write(values, place..<place + run.local.count, toTensor: first + run.tensor, from: run.start)
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
    let file = try ModelFile.open(located)
    self.path = located
    description = try ModelDescription(file)
    let layout = description.model.layout
    parameters = FloatBuffer(count: layout.count)
    try ModelFile.read(file, layout, layout.runs(of: 0..<layout.count, in: layout), into: &parameters)
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
