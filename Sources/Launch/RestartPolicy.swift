import Failures

/// Decides after each attempt whether another one follows, and when.
///
/// Progress is a newer checkpoint: steps that no checkpoint holds are lost with the next crash, however many they are.
struct RestartPolicy {
  enum Decision: Equatable {
    case finished
    /// No other attempt could do better: the input is wrong, or somebody wanted the end.
    case final
    case restart(after: Duration)
    case givenUp
  }

  /// A pause never gets longer.
  private static let longestPause: Duration = .seconds(60)

  private let mostRestarts: Int
  private let firstPause: Duration
  private(set) var restartsWithoutProgress = 0

  init(mostRestarts: Int, firstPause: Duration) {
    self.mostRestarts = mostRestarts
    self.firstPause = firstPause
  }

  /// - Parameters:
  ///   - code: what the launcher exited with, or 128 + the signal that ended it.
  ///   - isFirst: no attempt has begun to train before.
  ///   - madeProgress: the attempt has left a newer checkpoint.
  mutating func decide(code: Int32, isFirst: Bool, madeProgress: Bool) -> Decision {
    if madeProgress { restartsWithoutProgress = 0 }
    if code == ExitCode.success.rawValue { return .finished }
    guard Self.isWorthARestart(code, isFirst: isFirst) else { return .final }
    guard restartsWithoutProgress < mostRestarts else { return .givenUp }
    let doubled = firstPause * (1 << min(restartsWithoutProgress, 16))
    restartsWithoutProgress += 1
    return .restart(after: min(doubled, Self.longestPause))
  }

  /// What the input decides is the same the next time. The rest (a signal, a lost host, an I/O error, a stall) may not be.
  private static func isWorthARestart(_ code: Int32, isFirst: Bool) -> Bool {
    switch ExitCode(rawValue: code) {
    case .success, .stopped, .usage, .invalidData, .missingInput, .unavailable, .permission, .invalidJob,
      .refused:
      false
    // A rank on another host may hold the lock of its run for a moment longer than its launcher lives.
    case .cannotCreate: !isFirst
    case .internalError, .inputOutput, .stalled, nil: true
    }
  }
}
