import Files
import Glibc
import Testing

@Suite struct FileLockTests {
  @Test func onlyOneHolds() throws {
    let scratch = try Scratch()
    let path = scratch.file("lock")
    let lock = try FileLock(path)
    let error = try #require(failure { _ = try FileLock(path) })
    #expect(error.kind == .locked)
    #expect(error.note == "held by process \(Machine.processIdentifier) on \(Machine.hostName)")
    #expect(error.description.hasPrefix("cannot lock '\(path)': another process holds the lock (held by process"))
    lock.release()
    lock.release()
    // What a dead holder wrote stays in the file and means nothing.
    try FileLock(path).release()
  }

  /// A holder that ends soon is waited for, one that does not only for so long.
  @Test func soonFreeIsWaitedFor() throws {
    let scratch = try Scratch()
    let path = scratch.file("lock")
    let lock = try FileLock(path)
    #expect(failure { _ = try FileLock(path, patience: .milliseconds(50)) }?.kind == .locked)
    let releasing = try Thread("releasing") {
      usleep(200_000)
      lock.release()
    }
    try FileLock(path, patience: .seconds(300)).release()
    withExtendedLifetime(releasing) {}
  }

  @Test func fileSystemsWithoutLocksAreToldApart() throws {
    let scratch = try Scratch()
    let plan = FaultPlan(calls: [.flock], first: 1, effect: .fail(37))
    FaultPlan.$current.withValue(plan) {
      #expect(failure { _ = try FileLock(scratch.file("lock")) }?.kind == .other)
    }
  }
}
