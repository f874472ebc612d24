import Files

/// How a run tells on standard error where it is: one line that changes on a terminal, and plain lines elsewhere.
package struct ProgressLine {
  package let usesTerminal: Bool
  private var isOpen = false

  package init() { usesTerminal = Terminal.supportsControl }

  /// Seconds between two of them.
  package var interval: Double { usesTerminal ? 0.2 : 5 }

  package mutating func show(_ line: String) {
    if usesTerminal {
      StandardStream.error.write("\r\u{1B}[K" + String(line.prefix(max(Terminal.columns - 1, 20))))
      isOpen = true
    } else {
      StandardStream.error.write(line + "\n")
    }
  }

  /// What is written next begins a line of its own.
  package mutating func end() {
    if isOpen { StandardStream.error.write("\n") }
    isOpen = false
  }
}
