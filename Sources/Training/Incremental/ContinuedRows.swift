import Data
import Failures
import MPI

/// The rows of a training that goes on from a saved model, all as rows of the grown model.
struct ContinuedRows: Sendable {
  /// Rows that models are compared on, with words for them.
  struct Judged: Sendable {
    let name: String
    let dataset: ShardedDataset
  }

  /// New rows and the replay of old ones: what is trained on.
  let training: ShardedDataset
  /// The new rows alone.
  let fresh: ShardedDataset
  /// The new rows, and behind them those that were kept.
  let all: ShardedDataset
  let validation: ShardedDataset?
  /// What the saved model knew.
  let old: Judged?
  let new: Judged

  /// Collective: every rank gets the same, or throws the same failure.
  init(
    _ job: TrainingJob, _ wanted: Continuation, _ grown: GrownModel, data: OpenedDataset, validation: OpenedDataset?,
    sample: KeptSample?, world: borrowing Communicator
  ) throws {
    let oldData = try wanted.oldData.map {
      try OpenedDataset(
        DataSource(path: $0, split: wanted.oldSplit, isTrusted: job.data.isTrusted), defaultSplit: "test",
        scanLabels: false, world: world)
    }
    self = try Agreement.alike {
      try ContinuedRows(job, wanted, grown, data: data, validation: validation, sample: sample, oldData: oldData)
    }
  }

  private init(
    _ job: TrainingJob, _ wanted: Continuation, _ grown: GrownModel, data: OpenedDataset, validation: OpenedDataset?,
    sample: KeptSample?, oldData: OpenedDataset?
  ) throws {
    func adapted(_ data: OpenedDataset) throws -> ShardedDataset {
      try ShardedDataset(joining: [(data.dataset, try grown.adapter(for: data))], manifest: grown.manifest)
    }
    fresh = try adapted(data)
    self.validation = try validation.map { try adapted($0) }
    var parts = [(data.dataset, try grown.adapter(for: data))]
    var all = parts
    if let sample {
      let part = (sample.opened.dataset, try grown.adapter(for: sample.opened))
      all.append(part)
      parts += Array(repeating: part, count: wanted.replayTimes ?? 1)
    } else if let times = wanted.replayTimes, times > 0 {
      throw Self.noSample("from.replay_times repeats", wanted)
    }
    training = try ShardedDataset(joining: parts, manifest: grown.manifest)
    self.all = try ShardedDataset(joining: all, manifest: grown.manifest)
    if let oldData, let path = wanted.oldData {
      let split = oldData.source.split.map { ", split \($0)" } ?? ""
      old = Judged(name: path + split, dataset: try adapted(oldData))
    } else {
      old = try sample.map { Judged(name: "the sample beside \(wanted.model)", dataset: try adapted($0.opened)) }
    }
    let split = self.validation == nil ? data.source.split : validation?.source.split
    new = Judged(
      name: job.data.path + (split.map { ", split \($0)" } ?? ""), dataset: self.validation ?? fresh)
    if old == nil, wanted.tolerance != nil { throw Self.noSample("from.tolerance compares the models on", wanted) }
    if sample == nil, wanted.elastic > 0 { throw Self.noSample("from.elastic needs", wanted) }
    if let old, old.dataset.rows == 0 { throw Failure(.invalidData, "\(old.name) has no rows to compare models on") }
  }

  private static func noSample(_ what: String, _ wanted: Continuation) -> Failure {
    Failure(
      .missingInput, "\(what) a sample of old rows, and there is none beside '\(wanted.model)'",
      hint: "a training keeps one where its job has replay.rows; from.old_data names other rows to compare on")
  }
}
