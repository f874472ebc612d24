import Files
import Preparation
import Text

/// Says how far a preparation is: one line on a terminal, a plain line every few seconds elsewhere.
final class ProgressMeter {
  private static let terminalInterval = 0.2
  private static let plainInterval = 5.0

  private let usesTerminal = Terminal.supportsControl
  private var last = ContinuousClock.now
  private var lineIsOpen = false

  func show(_ progress: PreparationProgress) {
    let elapsed = (ContinuousClock.now - last) / .seconds(1)
    guard elapsed >= (usesTerminal ? Self.terminalInterval : Self.plainInterval) else { return }
    last = .now
    let share = progress.totalBytes > 0 ? 100 * progress.bytes / progress.totalBytes : 100
    let line = "\(progress.phase.rawValue) \(share) %  \(grouped(progress.rows)) rows"
    StandardStream.error.write(usesTerminal ? "\r\u{1B}[K" + line : line + "\n")
    lineIsOpen = usesTerminal
  }

  func end() {
    if lineIsOpen { StandardStream.error.write("\r\u{1B}[K") }
    lineIsOpen = false
  }
}
