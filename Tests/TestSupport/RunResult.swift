/// What a program left: its exit, its output, and what it took.
public struct RunResult: Sendable, CustomStringConvertible {
  /// The command line, for messages.
  public let command: String
  /// The exit code, or 128 + the signal that ended it, as a shell says it.
  public let exitCode: Int32
  /// The signal that ended it; `nil` where it exited by itself.
  public let signal: Int32?
  /// Whether it ran past its timeout and was killed for that.
  public let timedOut: Bool
  public let outputBytes: [UInt8]
  public let errorBytes: [UInt8]
  public let duration: Duration
  /// What it took of processors, together with all that it started and waited for: unlike the duration it is the same on a busy machine.
  public let processorTime: Duration
  /// The largest resident set of the program itself (not of the ranks of `mpirun`), looked up every few milliseconds while it was waited for.
  public let peakMemoryBytes: Int

  /// Standard output as text.
  public var standardOutput: String { String(decoding: outputBytes, as: UTF8.self) }
  /// Standard error as text.
  public var standardError: String { String(decoding: errorBytes, as: UTF8.self) }
  /// The lines of standard output, without the line feeds.
  public var outputLines: [String] { Self.lines(standardOutput) }
  /// The lines of standard error, without the line feeds.
  public var errorLines: [String] { Self.lines(standardError) }

  public var seconds: Double { duration.inSeconds }

  /// Everything that one wants to read when a test failed.
  public var description: String {
    var text = "$ \(command)\nexit code \(exitCode)"
    if let signal { text += " (signal \(signal))" }
    if timedOut { text += ", killed because it ran past its timeout" }
    text += ", after \(seconds) s"
    if !outputBytes.isEmpty { text += "\n--- standard output\n" + Self.shortened(standardOutput) }
    if !errorBytes.isEmpty { text += "\n--- standard error\n" + Self.shortened(standardError) }
    return text
  }

  private static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func shortened(_ text: String) -> String {
    let limit = 8_000
    guard text.utf8.count > limit else { return text }
    return text.prefix(limit / 2) + "\n[...]\n" + text.suffix(limit / 2)
  }
}

extension Duration {
  /// The duration in seconds, as a number to compare and print.
  public var inSeconds: Double {
    let parts = components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}
