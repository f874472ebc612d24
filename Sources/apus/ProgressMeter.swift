import Files
import Preparation
import Text

/// Says how far a preparation is: one line on a terminal, a plain line every few seconds elsewhere.
final class ProgressMeter {
  private static let terminalInterval = 0.2
  private static let plainInterval = 5.0

  private let usesTerminal = Terminal.supportsControl
  private var last = ContinuousClock.now
  /// What is being done, since when.
  private var phase = ""
  private var start = ContinuousClock.now
  private var lineIsOpen = false

  func show(_ progress: PreparationProgress) {
    show(
      progress.phase.rawValue, part: progress.bytes, of: progress.totalBytes, rows: progress.rows,
      bytes: progress.bytes)
  }

  /// Says that `part` of `total` is done, if it is time to say something.
  func show(_ phase: String, part: Int, of total: Int, rows: Int, bytes: Int? = nil) {
    if phase != self.phase {
      self.phase = phase
      start = .now
    }
    let elapsed = (ContinuousClock.now - last) / .seconds(1)
    guard elapsed >= (usesTerminal ? Self.terminalInterval : Self.plainInterval) else { return }
    last = .now
    let share = total > 0 ? Int(100 * (Double(part) / Double(total))) : 100
    let line =
      "\(phase) \(share) %  \(grouped(rows)) rows (\(Self.rates(rows: rows, bytes: bytes, seconds: (last - start) / .seconds(1))))"
    StandardStream.error.write(usesTerminal ? "\r\u{1B}[K" + line : line + "\n")
    lineIsOpen = usesTerminal
  }

  /// How fast rows, and bytes where they count, have come.
  static func rates(rows: Int, bytes: Int?, seconds: Double) -> String {
    func rate(_ count: Int) -> Int { seconds > 0 ? Int(Double(count) / seconds) : 0 }
    return "\(grouped(rate(rows))) rows/s" + (bytes.map { ", \(Text.bytes(rate($0)))/s" } ?? "")
  }

  func end() {
    if lineIsOpen { StandardStream.error.write("\r\u{1B}[K") }
    lineIsOpen = false
  }
}
