import CProcess
import Glibc

/// The signals that come to this program, one after the other, for a program that passes them on.
///
/// From its making on they do nothing else. Only for a program of one thread: others that exist already would still take them.
/// Corresponds to `signalfd(2)`.
public final class SignalQueue {
  public enum Signal: CaseIterable, Sendable {
    case terminate, interrupt, hangUp, user1, user2
    /// Cannot be received.
    case kill

    var number: Int32 {
      switch self {
      case .terminate: SIGTERM
      case .interrupt: SIGINT
      case .hangUp: SIGHUP
      case .user1: SIGUSR1
      case .user2: SIGUSR2
      case .kill: SIGKILL
      }
    }

    /// "SIGTERM".
    public var name: String {
      switch self {
      case .terminate: "SIGTERM"
      case .interrupt: "SIGINT"
      case .hangUp: "SIGHUP"
      case .user1: "SIGUSR1"
      case .user2: "SIGUSR2"
      case .kill: "SIGKILL"
      }
    }
  }

  let descriptor: Int32

  /// Takes over all signals that ask a program to end.
  ///
  /// The end of a child (SIGCHLD) wakes who waits on the queue too, without being one of its signals.
  public init() throws(FilesError) {
    let numbers = Signal.allCases.filter { $0 != .kill }.map(\.number) + [SIGCHLD]
    descriptor = try naming("the signals", "receive") { () throws(SystemCall.Failure) in
      try SystemCall.queueSignals(numbers)
    }
  }

  deinit { try? SystemCall.close(descriptor) }

  /// The signals that have come since the last call.
  public func take() -> [Signal] {
    var signals: [Signal] = []
    while true {
      let number = cprocess_next_signal(descriptor)
      if number == 0 { return signals }
      if let signal = Signal.allCases.first(where: { $0.number == number }) { signals.append(signal) }
    }
  }

  /// Waits for a signal, or until `timeout` is over.
  public func wait(timeout: Duration) throws(FilesError) {
    let descriptor = self.descriptor
    _ = try naming("the signals", "wait for") { () throws(SystemCall.Failure) in
      try SystemCall.pollReadable([descriptor], milliseconds: timeout.milliseconds)
    }
  }
}
