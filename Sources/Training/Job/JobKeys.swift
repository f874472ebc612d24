import Data
import JSON
import Model
import Optimization
import Parallel
public import Settings

extension JobKey {
  private static let count = 0...Int.max
  private static let positiveCount = 1...Int.max
  private static let weight = Kind.number(least: 0, exclusive: false, most: .infinity)
  private static let rate = Kind.optionalNumber(least: 0, exclusive: true, most: .infinity)
  private static let fraction = Kind.optionalNumber(least: 0, exclusive: false, most: 1)

  /// Every key of a job file, in the order in which `job.json` writes them.
  public static let all: [JobKey] = [
    JobKey("data.path", .text, nil, "data set: a directory (with or without dataset.json), an HDF5 file, or a glob"),
    JobKey("data.features", .text, "features", "name of the features' data set in each file"),
    JobKey("data.targets", .text, "targets", "name of the targets' data set in each file"),
    JobKey("data.split", .optionalText, .null, "split to train on; \"train\" where the data set has splits"),
    JobKey("data.validation_split", .optionalText, .null, "split that is evaluated after each epoch"),
    JobKey(
      "data.scale", .number(least: -.infinity, exclusive: false, most: .infinity), 1.0,
      "factor on every feature, 1/255 for images in bytes"),
    JobKey(
      "data.non_finite", .choice(NonFinite.names), "fail",
      "rows with a number that is not finite: an error, left out, or the feature replaced"),
    JobKey(
      "data.replacement", .optionalNumber(least: -.infinity, exclusive: false, most: .infinity), .null,
      "what replaces such a feature, in the units of the file; the mean of the training rows unless given"),
    JobKey(
      "data.trusted", .boolean, false,
      "whether HDF5 files may lead to other files: by links, external storage, virtual data sets"),

    JobKey("model.kind", .choice(ModelKind.allCases.map(\.rawValue)), nil, "family of models"),
    JobKey("model.hidden", .integers(positiveCount), [], "units of each hidden layer of an mlp"),
    JobKey("model.activation", .choice(Activation.allCases.map(\.rawValue)), "relu", "activation of the hidden layers"),

    JobKey(
      "from.model", .optionalText, .null,
      "saved model to go on from with the job's data, a model file or a run's directory; --from sets it"),
    JobKey(
      "from.optimizer", .boolean, false, "go on with the optimizer's state too: that of the run's newest checkpoint"),
    JobKey(
      "from.replay_times", .optionalInteger(count), .null,
      "times that an epoch has each row of the sample beside that model; 1 where there is one, 0 leaves it out"),
    JobKey(
      "from.old_data", .optionalText, .null,
      "data set on which the models before and after are compared, beside the new data; the sample unless given"),
    JobKey("from.old_split", .optionalText, .null, "its split; \"test\" where it has splits"),
    JobKey(
      "from.tolerance", .optionalNumber(least: 0, exclusive: false, most: .infinity), .null,
      "how much worse the model may get on those rows: accuracy lost, or growth of a regression's RMSE (0.03 is 3 %); a worse one is refused (79)"
    ),
    JobKey(
      "from.elastic", weight, 0.0,
      "weight of elastic weight consolidation, which holds weights that the sample's rows need; mlp"),
    JobKey(
      "replay.rows", .integer(0...1 << 24), 0,
      "rows of a sample of all rows so far that is kept beside the model, for --from"),
    JobKey(
      "replay.kind", .choice(ReplayRequest.Kind.allCases.map(\.rawValue)), "uniform",
      "uniform: any row with the same chance; class: as many rows of each class"),

    JobKey("loss", .optionalChoice(Loss.allCases.map(\.rawValue)), .null, "loss; the model and the targets imply it"),

    JobKey("penalty.l1", weight, 0.0, "weight of the sum of absolute weights; biases are free"),
    JobKey("penalty.l2", weight, 0.0, "added to the gradient as l2 times the weight (PyTorch's weight_decay)"),

    JobKey("optimizer.kind", .choice(OptimizerKind.allCases.map(\.rawValue)), "adam", "update rule"),
    JobKey("optimizer.learning_rate", rate, .null, "learning rate; the default depends on the kind"),
    JobKey("optimizer.momentum", fraction, .null, "momentum, nesterov: momentum"),
    JobKey("optimizer.decay", fraction, .null, "rmsprop: decay of the mean of squares"),
    JobKey("optimizer.beta1", fraction, .null, "adam, adamw: decay of the first moment"),
    JobKey("optimizer.beta2", fraction, .null, "adam, adamw: decay of the second moment"),
    JobKey(
      "optimizer.epsilon", .optionalNumber(least: 0, exclusive: false, most: .infinity), .null,
      "adagrad, rmsprop, adam, adamw: added to the denominator"),
    JobKey(
      "optimizer.weight_decay", .optionalNumber(least: 0, exclusive: false, most: .infinity), .null,
      "adamw: decoupled decay of the weights"),
    JobKey(
      "optimizer.beta", .optionalNumber(least: 0, exclusive: false, most: .infinity), .null,
      "ftrl: smoothing of the rate of each coordinate"),

    JobKey("schedule.kind", .choice(ScheduleKind.allCases.map(\.rawValue)), "constant", "course of the learning rate"),
    JobKey("schedule.warmup_steps", .integer(count), 0, "steps of linear warm-up"),
    JobKey(
      "schedule.every_steps", .optionalInteger(positiveCount), .null,
      "step, exponential, inverse_time: steps that count as one; 1000 for step, else 1"),
    JobKey("schedule.factor", .number(least: 0, exclusive: true, most: 1), 0.1, "step, plateau: factor on the rate"),
    JobKey(
      "schedule.decay", .optionalNumber(least: 0, exclusive: false, most: .infinity), .null,
      "exponential: factor (0.999); inverse_time: the rate is divided by 1 + decay (1e-3) times the steps"),
    JobKey("schedule.minimum", weight, 0.0, "cosine, plateau: least learning rate"),
    JobKey("schedule.patience", .integer(count), 10, "plateau: validations without improvement before the factor"),

    JobKey(
      "train.epochs", .optionalInteger(positiveCount), .null,
      "passes over the data; 20 where steps are not given either"),
    JobKey("train.steps", .optionalInteger(positiveCount), .null, "updates, instead of epochs"),
    JobKey("train.batch_size", .batch, 256, "rows of the global batch of a step, on all ranks together"),
    JobKey("train.shuffle", .boolean, true, "a new order of the rows for each epoch"),
    JobKey("train.seed", .integer(count), 1, "seed of weights, order and splits"),
    JobKey("train.clip_norm", weight, 0.0, "greatest norm of the gradient; 0 does not clip"),
    JobKey(
      "train.non_finite", .choice(TrainingJob.NonFiniteStep.allCases.map(\.rawValue)), "stop",
      "a step whose loss or gradient is not finite: stop, or skip it and count"),
    JobKey(
      "train.log_every", .integer(count), 0, "steps between two lines of metrics.jsonl; 0 is about ten lines a second"),
    JobKey("train.initial_model", .optionalText, .null, "model file to start from"),
    JobKey(
      "train.early_stopping.patience", .integer(count), 0,
      "validations without improvement before the end; 0 never stops early"),

    JobKey(
      "parallel.pipeline", .integer(positiveCount), 1, "stages that the layers are cut into, each on a rank of its own"),
    JobKey("parallel.tensor", .integer(positiveCount), 1, "ranks that share the weights of each layer"),
    JobKey(
      "parallel.stages", .integers(positiveCount), [],
      "layers of each stage, as [2, 1, 3]; stages of about equal work without it"),
    JobKey(
      "parallel.shard_optimizer", .boolean, false,
      "ranks that hold the same weights share the optimizer's state among them"),
    JobKey(
      "parallel.shared_memory", .boolean, true,
      "ranks of a node that hold the same weights have one copy of them, and share the optimizer's state"),
    JobKey(
      "parallel.micro_batches", .integer(positiveCount), 1,
      "passes in which a virtual rank's share of a batch is processed"),
    JobKey(
      "parallel.virtual_ranks", .integer(count), 0,
      "parts that define the training; 0 is the data-parallel ranks at the first start, or the shards if those are more"
    ),
    JobKey(
      "parallel.bucket_bytes", .integer(count), .integer(Wire.defaultPortionBytes),
      "bytes of gradient that goes to another host at a time, while the rest is computed; 0 sends all of it afterwards"),
    JobKey(
      "parallel.wire", .choice(Wire.Precision.allCases.map(\.rawValue)), "float32",
      "what gradients are between hosts; bfloat16 is half the bytes, and what rounding leaves out goes later"),
    JobKey(
      "parallel.reduction", .choice(["ordered", "fast"]), "ordered",
      "ordered: the same bits on any number of ranks; fast: any order of sums"),

    JobKey("checkpoint.every_steps", .integer(count), 0, "steps between checkpoints; 0 saves by time alone"),
    JobKey("checkpoint.every_seconds", weight, 600.0, "seconds between checkpoints; 0 saves by steps alone"),
    JobKey(
      "checkpoint.mean_time_between_failures", rate, .null,
      "seconds; saves at the best interval for it and the measured time of a save, not by every_seconds"),
    JobKey("checkpoint.keep", .integer(positiveCount), 2, "checkpoints that are kept"),

    JobKey(
      "watchdog.start", .automaticNumber, "auto",
      "seconds without progress before the first step after which the job ends with 76; 0 is no limit"),
    JobKey("watchdog.reading", .automaticNumber, "auto", "the same while a rank waits for rows"),
    JobKey("watchdog.step", .automaticNumber, "auto", "the same while a rank computes"),
    JobKey("watchdog.collective", .automaticNumber, "auto", "the same while all ranks wait for each other"),
    JobKey("watchdog.checkpoint", .automaticNumber, "auto", "the same while a checkpoint is written"),
    JobKey("watchdog.evaluation", .automaticNumber, "auto", "the same in a validation"),
    JobKey(
      "watchdog.stragglers", weight, 30.0, "seconds between two comparisons of the ranks' speeds; 0 compares none"),

    JobKey("output", .text, "runs/apus", "directory that the run writes"),
  ]
}
