import Testing

@testable import Files

/// The limits of the tests' own process, which are therefore generous.
@Suite struct ResourceLimitsTests {
  private func limit(_ name: String) throws -> Int? {
    let text = String(decoding: try FileSystem.read("/proc/self/limits", limit: 10_000), as: UTF8.self)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name) })
    return line.dropFirst(name.count).split(separator: " ").first.flatMap { Int($0) }
  }

  @Test func limitsAreCountedFromNow() throws {
    try ResourceLimits.allowMemory(bytes: 1 << 44)
    let addresses = try #require(try limit("Max address space"))
    #expect(addresses > 1 << 44 && addresses < 2 << 44)
    try ResourceLimits.allowProcessor(seconds: 1_000_000)
    let seconds = try #require(try limit("Max cpu time"))
    #expect(seconds >= 1_000_000 && seconds < 1_100_000)
    // They can be set again, also to more.
    try ResourceLimits.allowProcessor(seconds: 2_000_000)
    #expect(try #require(try limit("Max cpu time")) >= 2_000_000)
    try ResourceLimits.forbidCore()
    #expect(try limit("Max core file size") == 0)
  }
}
