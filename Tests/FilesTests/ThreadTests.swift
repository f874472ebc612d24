import Foundation
import Testing

@testable import Files

@Suite struct ThreadTests {
  /// A value that cannot be copied, as the buffers of a training are.
  private struct Parcel: ~Copyable, Sendable {
    let number: Int
  }

  private func start(_ name: String = "test", _ body: @escaping @Sendable () -> Void) throws -> Files.Thread {
    try Files.Thread(name, body)
  }

  @Test func joinWaitsForTheEnd() throws {
    let done = Monitor(false)
    try start {
      usleep(20_000)
      done.withLock { $0 = true }
    }.join()
    #expect(done.withLock { $0 })
  }

  @Test func theEndOfTheValueWaitsToo() throws {
    let done = Monitor(false)
    do {
      _ = try start {
        usleep(20_000)
        done.withLock { $0 = true }
      }
    }
    #expect(done.withLock { $0 })
  }

  @Test func hasItsName() throws {
    let name = Monitor("")
    try start("apus-a-very-long-name") {
      let text = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
      name.withLock { $0 = text ?? "" }
    }.join()
    #expect(name.withLock { $0 } == "apus-a-very-lon\n")
  }

  /// From `proc(5)`: the mask of a thread has a bit for each signal, the first at the right.
  @Test func signalsGoToOthers() throws {
    @Sendable func mask() -> UInt64? {
      let status = (try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
      return line.flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) }
    }
    let before = try #require(mask())
    let inside = Monitor<UInt64?>(nil)
    try start { inside.withLock { $0 = mask() } }.join()
    let blocked = try #require(inside.withLock { $0 })
    for signal in [SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGCHLD] { #expect(blocked >> (signal - 1) & 1 == 1) }
    for signal in [SIGSEGV, SIGILL, SIGBUS, SIGFPE] { #expect(blocked >> (signal - 1) & 1 == 0) }
    #expect(mask() == before)
  }

  @Test func aThreadThatCannotBeStartedIsAnError() throws {
    let isRun = Monitor(false)
    let plan = FaultPlan(calls: [.thread], first: 1, effect: .fail(EAGAIN))
    let error = FaultPlan.$current.withValue(plan) {
      failure { try start("writer") { isRun.withLock { $0 = true } }.join() }
    }
    #expect(error?.description == "cannot start 'thread writer': Resource temporarily unavailable")
    #expect(!isRun.withLock { $0 })
  }

  @Test func theFaultPlanHoldsInTheThread() throws {
    let scratch = try Scratch()
    let path = scratch.file("x")
    let code = Monitor<Int32?>(nil)
    try FaultPlan.$current.withValue(FaultPlan(calls: [.open], first: 1, effect: .fail(ENOSPC))) {
      try start { code.withLock { $0 = failure { _ = try File.create(path) }?.code } }.join()
    }
    #expect(code.withLock { $0 } == ENOSPC)
  }

  /// What one thread makes, the other takes, in order and without loss.
  @Test func handsOver() throws {
    let slot = Monitor<Parcel?>(nil)
    let maker = try start {
      for number in 1...1_000 {
        slot.wait(until: { $0 == nil }, then: { $0 = Parcel(number: number) })
      }
    }
    var taken: [Int] = []
    while taken.count < 1_000 {
      if let parcel = slot.wait(until: { $0 != nil }, then: { $0.take() }) { taken.append(parcel.number) }
    }
    maker.join()
    #expect(taken == Array(1...1_000))
  }

  @Test func countsOfSeveralThreadsAddUp() throws {
    let count = Monitor(0)
    func add() throws -> Files.Thread { try start { for _ in 0..<10_000 { count.withLock { $0 += 1 } } } }
    let one = try add()
    let other = try add()
    one.join()
    other.join()
    #expect(count.withLock { $0 } == 20_000)
  }

  @Test func waitsNoLongerThanAllowed() throws {
    let flag = Monitor(false)
    let begin = ContinuousClock.now
    #expect(flag.wait(atMost: .milliseconds(30), until: { $0 }, then: { _ in 1 }) == nil)
    #expect(ContinuousClock.now - begin >= .milliseconds(30))
    let setter = try start {
      usleep(10_000)
      flag.withLock { $0 = true }
    }
    #expect(flag.wait(atMost: .seconds(60), until: { $0 }, then: { _ in 1 }) == 1)
    #expect(ContinuousClock.now - begin < .seconds(30))
    setter.join()
    #expect(flag.wait(atMost: .zero, until: { $0 }, then: { _ in 2 }) == 2)
  }
}
