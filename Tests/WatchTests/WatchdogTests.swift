import Files
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Watch

/// The threads of a watchdog that watch the thread of a test.
@Suite(.serialized)
struct WatchdogTests {
  private func deadlines(_ seconds: Double) -> Deadlines {
    var deadlines = Deadlines()
    for phase in Phase.allCases { deadlines[phase] = .seconds(seconds) }
    return deadlines
  }

  @Test func ownStallIsRaisedInTime() throws {
    let report = Monitor<String?>(nil)
    let watchdog = try Watchdog(deadlines: deadlines(1), rank: 0, members: [.own]) { text in
      report.withLock { $0 = text }
    }
    Pulse.enter(.reading)
    let since = ContinuousClock.now
    let found = report.wait(atMost: Patience.most, until: { $0 != nil }, then: { $0 })
    let text = try #require(found ?? nil)
    #expect(ContinuousClock.now - since > .seconds(1))
    #expect(text.contains("rank 0") && text.contains("reading"), "\(text)")
    // By its own clock it was seen within six seconds after what it may.
    let silent = try #require(text.firstMatch(of: /\ ([0-9.]+) s *\n*$/).flatMap { Double($0.output.1) }, "\(text)")
    #expect(silent >= 1 && silent < 7, "\(text)")
    watchdog.end()
  }

  @Test func pausesAreNotRaised() throws {
    let report = Monitor<String?>(nil)
    let watchdog = try Watchdog(deadlines: deadlines(4), rank: 0, members: [.own]) { text in
      report.withLock { $0 = text }
    }
    for step in 1...3 {
      Pulse.note(steps: step)
      usleep(2_000_000)
    }
    watchdog.end()
    #expect(report.withLock { $0 } == nil)
  }

  /// Ranks tell each other through a file, which goes when the first of them ends.
  @Test func ranksShareTheirBeats() throws {
    let folder = try TemporaryDirectory("beats")
    let first = try Watchdog(deadlines: deadlines(100), rank: 0, members: [.own, .own]) { _ in }
    let second = try Watchdog(deadlines: deadlines(100), rank: 1, members: [.own, .own]) { _ in }
    Pulse.enter(.checkpoint)
    try first.share(in: folder.path)
    try second.share(in: folder.path)
    let file = BeatFile(folder.file(BeatFile.name), ranks: 2)
    let deadline = ContinuousClock.now + Patience.most
    // What they say at once is that they start.
    #expect(try file.read().allSatisfy { $0 != nil })
    while try file.read().contains(where: { $0?.phase != .checkpoint }), ContinuousClock.now < deadline {
      usleep(10_000)
    }
    #expect(try file.read().map { $0?.phase } == [.checkpoint, .checkpoint])
    second.end()
    #expect(folder.contains(BeatFile.name))
    first.end()
    #expect(!folder.contains(BeatFile.name))
  }

  /// What killed jobs have left goes after a while; what is written, or something else, stays.
  @Test func abandonedFilesGo() throws {
    let folder = try TemporaryDirectory("beats")
    let old = Date(timeIntervalSinceNow: -1_200)
    for (name, bytes, isOld) in [
      (".beats-1", 128, true), (".out.csv.beats", 64, true), (".beats-2", 128, false), (".beats-3", 5, true),
      ("x.beats", 64, true), (".beats-x/y", 64, true),
    ] {
      try folder.write([UInt8](repeating: 32, count: bytes), to: name)
      if isOld {
        try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: folder.file(name))
      }
    }
    let watchdog = try Watchdog(deadlines: deadlines(100), rank: 0, members: [.own, .own]) { _ in }
    try watchdog.share(in: folder.path, as: ".beats-7")
    #expect(try folder.names() == [".beats-2", ".beats-3", ".beats-7", ".beats-x", "x.beats"])
    // Who was stopped for so long that somebody took its own makes it again.
    try FileManager.default.removeItem(atPath: folder.file(".beats-7"))
    let deadline = ContinuousClock.now + .seconds(30)
    while !folder.contains(".beats-7"), ContinuousClock.now < deadline { usleep(10_000) }
    #expect(folder.contains(".beats-7"))
    watchdog.end()
    #expect(!folder.contains(".beats-7"))
  }

  @Test func phasesNest() {
    Pulse.begin()
    Pulse.enter(.step)
    Pulse.during(.checkpoint) {
      #expect(Pulse.reading.phase == .checkpoint)
      Pulse.whileWaiting { #expect(Pulse.reading.phase == .checkpoint && Pulse.reading.isWaiting) }
      #expect(!Pulse.reading.isWaiting)
    }
    #expect(Pulse.reading.phase == .step)
    let before = Pulse.reading
    Pulse.enter(.step)
    #expect(Pulse.reading != before, "going on in a phase is a change too")
  }
}
