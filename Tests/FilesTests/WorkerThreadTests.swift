import Foundation
import Testing

@testable import Files

@Suite struct WorkerThreadTests {
  /// What was given at once is done in its order, one piece after the other, all on the same thread.
  @Test(arguments: [false, true]) func doesOnePieceAfterTheOther(staysHere: Bool) throws {
    let done = Monitor<[(number: Int, name: String, thread: UInt)]>([])
    let underWay = Monitor(0)
    do {
      let worker = try WorkerThread("apus-test-work")
      for number in 0..<200 {
        worker.perform(staysHere: staysHere) {
          let others = underWay.withLock { count in
            count += 1
            return count - 1
          }
          if number % 50 == 0 { usleep(2_000) }
          let name = (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? ""
          done.withLock { $0.append((others == 0 ? number : -1, name, UInt(pthread_self()))) }
          underWay.withLock { $0 -= 1 }
        }
      }
    }
    // The end of the worker has waited for all of it.
    let result = done.withLock { $0 }
    #expect(result.map(\.number) == Array(0..<200))
    #expect(Set(result.map(\.name)) == ["apus-test-work\n"])
    #expect(Set(result.map(\.thread)).count == 1 && result.first?.thread != UInt(pthread_self()))
  }

  @Test func endWithoutWork() throws {
    for _ in 0..<20 { _ = try WorkerThread("idle") }
  }

  /// A thread that had nothing to do takes up what comes then, also from other threads than the one that made it.
  @Test func worksAgainAfterRests() throws {
    let count = Monitor(0)
    let worker = try WorkerThread("rests")
    for round in 1...5 {
      try Files.Thread("giver") { worker.perform(staysHere: false) { count.withLock { $0 += 1 } } }.join()
      #expect(count.wait(atMost: .seconds(30), until: { $0 == round }, then: { $0 }) == round)
    }
  }

  /// Before there is work, while it is done, and afterwards: nothing is lost, and nothing done twice.
  @Test func hurryingChangesNoWork() throws {
    let count = Monitor(0)
    do {
      let worker = try WorkerThread("hurries")
      worker.hurry()
      let hasBegun = Monitor(false)
      let mayEnd = Monitor(false)
      worker.perform(staysHere: true) {
        hasBegun.withLock { $0 = true }
        _ = mayEnd.wait(atMost: .seconds(30), until: { $0 }, then: { $0 })
        count.withLock { $0 += 1 }
      }
      worker.perform(staysHere: true) { count.withLock { $0 += 10 } }
      #expect(hasBegun.wait(atMost: .seconds(30), until: { $0 }, then: { $0 }) == true)
      worker.hurry()
      mayEnd.withLock { $0 = true }
      #expect(count.wait(atMost: .seconds(30), until: { $0 == 11 }, then: { $0 }) == 11)
      worker.hurry()
    }
    #expect(count.withLock { $0 } == 11)
  }

  /// Each piece of work meets the faults of who gave it, and no others.
  @Test func takesTheFaultPlanAlong() throws {
    let scratch = try Scratch()
    let folder = scratch.path
    let codes = Monitor<[Int32?]>([])
    do {
      let worker = try FaultPlan.$current.withValue(FaultPlan(calls: [.open], first: 1, effect: .fail(EMFILE))) {
        try WorkerThread("faults")
      }
      @Sendable func open(_ name: String) {
        codes.withLock { $0.append(failure { try File.create(FileSystem.join(folder, name)).close() }?.code) }
      }
      let isGiven = Monitor(false)
      worker.perform(staysHere: false) { _ = isGiven.wait(atMost: .seconds(30), until: { $0 }, then: { $0 }) }
      for (number, code) in [ENOSPC, EIO].enumerated() {
        FaultPlan.$current.withValue(FaultPlan(calls: [.open], first: 1, effect: .fail(code))) {
          worker.perform(staysHere: false) { open("x\(number)") }
        }
      }
      worker.perform(staysHere: false) { open("y") }
      isGiven.withLock { $0 = true }
    }
    #expect(codes.withLock { $0 } == [ENOSPC, EIO, nil])
  }

  @Test func aThreadThatCannotBeStartedIsAnError() throws {
    let plan = FaultPlan(calls: [.thread], first: 1, effect: .fail(EAGAIN))
    let error = FaultPlan.$current.withValue(plan) { failure { _ = try WorkerThread("writer") } }
    #expect(error?.description == "cannot start 'thread writer': Resource temporarily unavailable")
  }
}
