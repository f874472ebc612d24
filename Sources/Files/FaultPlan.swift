import CProcess
import Glibc
import Synchronization

/// A plan for tests to make system calls of this module fail: the n-th call, or every call from the n-th on.
///
/// A plan concerns the task, or the part of the program, that runs inside
///
///     FaultPlan.$current.withValue(FaultPlan(calls: [.write], first: 3, effect: .fail(ENOSPC))) { ... }
///
/// and nothing beside it, so that tests can run side by side.
package final class FaultPlan: Sendable {
  package enum Effect: Sendable, Equatable {
    /// The call fails with this value of `errno`, without being made. `EINTR` is retried as the kernel's would be.
    case fail(Int32)
    /// A write or read moves half of what was asked for (at least one byte); other calls are made as they are.
    case cutShort
    /// The process is killed before the call is made, as by `kill -9`.
    case kill
  }

  @TaskLocal package static var current: FaultPlan?

  private let calls: Set<SystemCall.Name>
  private let first: Int
  private let effect: Effect
  private let persists: Bool
  private let counter = Atomic<Int>(0)
  private let operations = Mutex<[FileOperation]>([])
  private let records: Bool

  /// - Parameters:
  ///   - calls: Which calls are counted; all if empty.
  ///   - first: The call that fails first, counted from 1. A plan with `first` beyond the last call only counts.
  ///   - persists: Whether every later call fails as well, as on a full disk.
  ///   - records: Whether the plan notes what the calls that are made change.
  package init(
    calls: Set<SystemCall.Name> = [], first: Int, effect: Effect, persists: Bool = false, records: Bool = false
  ) {
    precondition(first >= 1, "first is \(first), calls are counted from 1")
    self.calls = calls
    self.first = first
    self.effect = effect
    self.persists = persists
    self.records = records
  }

  /// How many of the plan's calls have been asked for so far.
  package var callsSeen: Int { counter.load(ordering: .relaxed) }

  /// What the calls so far have changed, in their order.
  package var recorded: [FileOperation] { operations.withLock { $0 } }

  /// Takes note of a call that was made.
  func note(_ operation: @autoclosure () -> FileOperation) {
    if records { operations.withLock { $0.append(operation()) } }
  }

  /// The effect that the plan has on the call that is about to be made.
  func effect(on call: SystemCall.Name) -> Effect? {
    guard calls.isEmpty || calls.contains(call) else { return nil }
    let number = counter.add(1, ordering: .relaxed).newValue
    return number == first || (persists && number > first) ? effect : nil
  }
}
