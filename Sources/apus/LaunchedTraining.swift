import Files
import JSON
import Launch
import Training

/// A training as `apus launch` sees it: from outside, by what it writes.
struct LaunchedTraining: LaunchedRun {
  private let path: String
  private let words: [String]
  private let store: CheckpointStore
  private let folder: String
  private let output: String
  private let jobPath: String
  /// The job of the run that is to be replaced, as it lies there; nil where none is.
  private let replaced: FileStatus?

  /// - Parameters:
  ///   - words: the arguments of `apus train`.
  ///   - replaces: a run that is there already is to be replaced.
  init(job: TrainingJob, program: String, words: [String], replaces: Bool) {
    path = program
    self.words = words
    output = job.output
    folder = (try? ModelUpdate(job))?.folder ?? output
    store = CheckpointStore(directory: RunDirectory.checkpoints(of: folder), keep: job.checkpoint.keep)
    jobPath = FileSystem.join(folder, RunDirectory.jobName)
    replaced = replaces ? (try? FileSystem.status(of: jobPath)) ?? nil : nil
  }

  /// A run that was to be replaced and is still there must not be gone on with: the attempt has crashed before it began.
  private var awaitsReplacement: Bool {
    guard let replaced else { return false }
    return (try? FileSystem.status(of: jobPath)) == replaced
  }

  func program(isRestart: Bool) -> [String] {
    guard isRestart, !awaitsReplacement else { return [path, TrainCommand.syntax.name] + words }
    let (resume, overwrite) = ("--resume", "--overwrite")
    // What follows "--" is no option, so that --resume stands before all.
    return [path, TrainCommand.syntax.name, resume] + words.filter { $0 != overwrite && $0 != resume }
  }

  var checkpointStep: Int? { awaitsReplacement ? nil : (try? store.steps())?.last }

  var lastStep: Int? {
    // Once the model has taken the place of another, so has its log.
    let isThere = (try? FileSystem.status(of: folder)) != nil
    let path = FileSystem.join(isThere ? folder : output, MetricsLog.name)
    return (try? LastMetrics(path))?.training?["step"]?.asInt
  }

  func firstStep(announcedBy line: String) -> Int? { TrainCommand.firstStep(ofGreeting: line) }
}
