/// What is launched: a training that leaves checkpoints and can go on from the newest of them.
public protocol LaunchedRun {
  /// The program of a rank and its arguments.
  /// - Parameter isRestart: ranks have been started before.
  func program(isRestart: Bool) -> [String]

  /// The step of the newest checkpoint; nil where there is none.
  var checkpointStep: Int? { get }

  /// The last step that is known to have been done, whether a checkpoint holds it or not; nil where there is none.
  var lastStep: Int? { get }

  /// The step after which the training goes on, where `line` of standard error says that it now begins; 0 for a new one.
  func firstStep(announcedBy line: String) -> Int?
}
