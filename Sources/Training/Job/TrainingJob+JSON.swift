import Data
public import JSON
import Model
import Optimization
import Parallel
import Settings
import Watch

extension TrainingJob {
  /// The job with every default filled in, as `job.json` of a run holds it. Reading it again gives the same job.
  public var json: JSONValue {
    Self.nest(JobKey.all.map { ($0.path, value(of: $0.path)) })
  }

  private func value(of path: String) -> JSONValue {
    let uses = Set(optimizer.kind.keys)
    func used(_ name: String, _ number: Double) -> JSONValue { uses.contains(name) ? .number(number) : .null }
    return switch path {
    case "data.path": .string(data.path)
    case "data.features": .string(data.features)
    case "data.targets": .string(data.targets)
    case "data.split": data.split.map { .string($0) } ?? .null
    case "data.validation_split": data.validationSplit.map { .string($0) } ?? .null
    case "data.scale": .number(data.scale)
    case "data.non_finite": .string(data.nonFinite.name)
    case "data.replacement":
      if case .replace(let value?) = data.nonFinite { .number(Double(value)) } else { .null }
    case "data.trusted": .boolean(data.isTrusted)
    case "model.kind": .string(kind.rawValue)
    case "model.hidden": .array(hidden.map { .integer($0) })
    case "model.activation": .string(activation.rawValue)
    case "from.model": from.map { .string($0.model) } ?? .null
    case "from.optimizer": .boolean(from?.takesOptimizer ?? false)
    case "from.replay_times": from?.replayTimes.map { .integer($0) } ?? .null
    case "from.old_data": from?.oldData.map { .string($0) } ?? .null
    case "from.old_split": from?.oldSplit.map { .string($0) } ?? .null
    case "from.tolerance": from?.tolerance.map { .number($0) } ?? .null
    case "from.elastic": .number(from?.elastic ?? 0)
    case "replay.rows": .integer(replay?.rows ?? 0)
    case "replay.kind": .string((replay?.kind ?? .uniform).rawValue)
    case "loss": loss.map { .string($0.rawValue) } ?? .null
    case "penalty.l1": .number(penalty.l1)
    case "penalty.l2": .number(penalty.l2)
    case "optimizer.kind": .string(optimizer.kind.rawValue)
    case "optimizer.learning_rate": .number(optimizer.learningRate)
    case "optimizer.momentum": used("momentum", optimizer.momentum)
    case "optimizer.decay": used("decay", optimizer.decay)
    case "optimizer.beta1": used("beta1", optimizer.beta1)
    case "optimizer.beta2": used("beta2", optimizer.beta2)
    case "optimizer.epsilon": used("epsilon", optimizer.epsilon)
    case "optimizer.weight_decay": used("weight_decay", optimizer.weightDecay)
    case "optimizer.beta": used("beta", optimizer.beta)
    case "schedule.kind": .string(schedule.kind.rawValue)
    case "schedule.warmup_steps": .integer(schedule.warmupSteps)
    case "schedule.every_steps": .integer(schedule.everySteps)
    case "schedule.factor": .number(schedule.factor)
    case "schedule.decay": .number(schedule.decay)
    case "schedule.minimum": .number(schedule.minimum)
    case "schedule.patience": .integer(schedule.patience)
    case "train.epochs": if case .epochs(let epochs) = length { .integer(epochs) } else { .null }
    case "train.steps": if case .steps(let steps) = length { .integer(steps) } else { .null }
    case "train.batch_size": if case .rows(let rows) = batchSize { .integer(rows) } else { .string("full") }
    case "train.shuffle": .boolean(shuffle)
    case "train.seed": .integer(Int(seed))
    case "train.clip_norm": .number(clipNorm)
    case "train.non_finite": .string(nonFiniteStep.rawValue)
    case "train.log_every": .integer(logEvery)
    case "train.initial_model": initialModel.map { .string($0) } ?? .null
    case "train.early_stopping.patience": .integer(patience)
    case "parallel.pipeline": .integer(split.pipeline)
    case "parallel.tensor": .integer(split.tensor)
    case "parallel.stages": .array(split.stages.map { .integer($0) })
    case "parallel.shard_optimizer": .boolean(split.shardsOptimizer)
    case "parallel.shared_memory": .boolean(split.sharesMemory)
    case "parallel.micro_batches": .integer(microBatches)
    case "parallel.virtual_ranks": .integer(virtualRanks)
    case "parallel.bucket_bytes": .integer(bucketBytes)
    case "parallel.wire": .string(wire.rawValue)
    case "parallel.reduction": .string(reduction.rawValue)
    case "checkpoint.every_steps": .integer(checkpoint.everySteps)
    case "checkpoint.every_seconds": .number(checkpoint.everySeconds)
    case "checkpoint.mean_time_between_failures": checkpoint.meanTimeBetweenFailures.map { .number($0) } ?? .null
    case "checkpoint.keep": .integer(checkpoint.keep)
    case "watchdog.start": limit(of: .start)
    case "watchdog.reading": limit(of: .reading)
    case "watchdog.step": limit(of: .step)
    case "watchdog.collective": limit(of: .collective)
    case "watchdog.checkpoint": limit(of: .checkpoint)
    case "watchdog.evaluation": limit(of: .evaluation)
    case "watchdog.stragglers": .number(stragglerSeconds)
    case "output": .string(output)
    default: preconditionFailure("the key '\(path)' is in the table of keys but is never written")
    }
  }

  private func limit(of phase: Phase) -> JSONValue {
    switch deadlines[phase] {
    case .learned: .string("auto")
    case .seconds(let seconds): .number(seconds)
    }
  }

  /// An object of objects, from paths in order.
  package static func nest(_ pairs: [(path: String, value: JSONValue)]) -> JSONValue {
    var members: [(String, JSONValue)] = []
    var index = 0
    while index < pairs.count {
      let names = pairs[index].path.split(separator: ".", maxSplits: 1).map(String.init)
      guard names.count == 2 else {
        members.append((names[0], pairs[index].value))
        index += 1
        continue
      }
      let prefix = names[0] + "."
      let end = pairs[index...].firstIndex { !$0.path.hasPrefix(prefix) } ?? pairs.count
      members.append((names[0], nest(pairs[index..<end].map { (String($0.path.dropFirst(prefix.count)), $0.value) })))
      index = end
    }
    return .object(members)
  }
}
