import Foundation
import Testing

@testable import Files

/// The process and what surrounds it.
@Suite struct ProcessTests {
  @Test func machine() {
    #expect(Machine.hostName == ProcessInfo.processInfo.hostName || !Machine.hostName.isEmpty)
    #expect(Machine.processIdentifier == Int(ProcessInfo.processInfo.processIdentifier))
    #expect(Machine.physicalMemoryBytes == Int(ProcessInfo.processInfo.physicalMemory))
    #expect(Machine.peakMemoryBytes > 1 << 20 && Machine.peakMemoryBytes < Machine.physicalMemoryBytes)
    #expect(Machine.environment("PATH") == ProcessInfo.processInfo.environment["PATH"])
    #expect(Machine.environment("APUS_IS_NOT_SET") == nil)
    #expect(Machine.processors >= 1)
  }

  @Test(
    arguments: [
      (nil, "xterm", true), ("", "xterm", true), ("1", "xterm", false), (nil, "dumb", false), (nil, nil, false),
      (nil, "", false),
    ] as [(String?, String?, Bool)])
  func control(_ noColor: String?, _ term: String?, _ welcome: Bool) {
    #expect(Terminal.supportsControl(noColor: noColor, term: term) == welcome)
  }

  @Test func columnsAreSensible() {
    #expect((1...10_000).contains(Terminal.columns))
  }

  /// SIGTERM and SIGINT take the same way; a second SIGINT would end the tests.
  @Test func signalsAreNotedAndNoLongerKill() {
    #expect(!Termination.isRequested)
    Termination.install()
    #expect(Termination.signalName == nil)
    kill(getpid(), SIGUSR1)
    // A signal to the process may be taken by another thread, a moment later.
    for _ in 0..<60_000 where !Termination.isRequested { usleep(1_000) }
    #expect(Termination.signalName == "SIGUSR1")
    kill(getpid(), SIGUSR2)
    usleep(10_000)
    #expect(Termination.signalName == "SIGUSR1")
  }
}
