import Failures
import Files
import JSON
import Model
import Text
import Training

/// The directory of a run: its job, how far it is, its model and its checkpoints.
struct RunInspection: Inspection {
  private static let mostJobBytes = 16 << 20

  let path: String
  private let job: Result<JSONNode, Failure>?
  private let metrics: LastMetrics
  private let model: Result<TensorsInspection, Failure>?
  private let checkpoints: [(step: Int, inspection: CheckpointInspection)]

  init(_ path: String) throws {
    self.path = path
    job = try Self.ifPresent(FileSystem.join(path, RunDirectory.jobName)) { path in
      let bytes = try FileSystem.read(path, limit: Self.mostJobBytes)
      do {
        return try JSONNode(parsing: bytes, dialect: .json5)
      } catch {
        throw Failure(.invalidData, "'\(path)', \(error)")
      }
    }
    metrics = try LastMetrics(FileSystem.join(path, MetricsLog.name))
    model = try Self.ifPresent(FileSystem.join(path, ModelFile.name)) { try TensorsInspection($0) }
    let store = CheckpointStore(directory: RunDirectory.checkpoints(of: path), keep: .max)
    checkpoints = try store.steps().map { ($0, try CheckpointInspection(store.path(of: $0))) }
  }

  private static func ifPresent<Value>(_ path: String, _ read: (String) throws -> Value) throws -> Result<
    Value, Failure
  >? {
    guard try FileSystem.status(of: path) != nil else { return nil }
    do {
      return .success(try read(path))
    } catch {
      return .failure(Failure(error))
    }
  }

  /// The worst that was found.
  var code: ExitCode {
    if case .failure(let failure) = job { return failure.code }
    if case .failure(let failure) = model { return failure.code }
    return checkpoints.map(\.inspection.code).first { $0 != .success } ?? .success
  }

  var text: String {
    var parts = ["\(path): run\n"]
    parts.append(jobText)
    parts.append(progress)
    if !checkpoints.isEmpty {
      var table = Table([Table.Column("checkpoint"), Table.Column("state")])
      for (step, checkpoint) in checkpoints {
        table.append([
          "step \(grouped(step))", checkpoint.code == .success ? "verified" : Listing.line(checkpoint.state),
        ])
      }
      parts.append(table.rendered())
    }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var jobText: String {
    switch job {
    case .none: return ""
    case .failure(let failure): return failure.message + "\n"
    case .success(let node):
      var listing = Listing()
      Self.add(node.value, path: "", to: &listing)
      return listing.text
    }
  }

  /// The keys of a job with their values, those that are null left out.
  private static func add(_ value: JSONValue, path: String, to listing: inout Listing) {
    guard case .object(let members) = value else {
      if !value.isNull { listing.add(Listing.line(path), Listing.line(value.shown)) }
      return
    }
    for member in members {
      add(member.value.value, path: path.isEmpty ? member.key : "\(path).\(member.key)", to: &listing)
    }
  }

  private var progress: String {
    var listing = Listing()
    listing.add("last metrics", metrics.training.map(Self.line))
    listing.add("last validation", metrics.validation.map(Self.line))
    switch model {
    case .none: listing.add("model", "none yet")
    case .failure(let failure): listing.add("model", failure.message)
    case .success(let model):
      guard let description = model.description else {
        listing.add("model", "tensors that say nothing of their model")
        break
      }
      listing.add(
        "model",
        "\(ModelFile.name): \(description.model.kind.rawValue) \(TensorsInspection.layers(description.model)), "
          + "\(grouped(description.model.layout.count)) parameters, after step \(grouped(description.step))")
    }
    return listing.text
  }

  /// `step 225, epoch 5, loss 0.1204`
  private static func line(_ metrics: JSONNode) -> String {
    Listing.line(
      (metrics.asObject ?? []).map { "\($0.key) \($0.value.value.shown)" }.joined(separator: ", "), most: 400)
  }

  var json: JSONValue {
    .object([
      ("kind", "run"), ("path", .string(path)), ("job", Self.json(job) { $0.value }),
      ("last_metrics", metrics.training?.value ?? .null), ("last_validation", metrics.validation?.value ?? .null),
      ("model", Self.json(model) { $0.json }), ("checkpoints", .array(checkpoints.map { $0.inspection.json })),
    ])
  }

  private static func json<Value>(_ result: Result<Value, Failure>?, _ json: (Value) -> JSONValue) -> JSONValue {
    switch result {
    case .none: .null
    case .success(let value): json(value)
    case .failure(let failure): .object([("error", .string(failure.message))])
    }
  }
}
