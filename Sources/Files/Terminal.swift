import CProcess
import Glibc

/// Whether people are watching, and on what.
public enum Terminal {
  /// Whether the stream is a terminal, not a file or a pipe.
  public static func isTerminal(output stream: StandardStream) -> Bool {
    isatty(stream.descriptor) == 1
  }

  /// The width of the terminal of standard error, where progress goes; else what COLUMNS says; else 80.
  public static var columns: Int {
    var size = winsize()
    if unsafe ioctl(StandardStream.error.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    if let text = Machine.environment("COLUMNS"), let columns = Int(text), (1...10_000).contains(columns) {
      return columns
    }
    return 80
  }

  /// Whether colour and rewriting a line are welcome on standard error: a terminal, NO_COLOR not set (no-color.org), and
  /// TERM neither missing nor "dumb".
  public static var supportsControl: Bool {
    isTerminal(output: .error)
      && supportsControl(noColor: Machine.environment("NO_COLOR"), term: Machine.environment("TERM"))
  }

  /// An empty NO_COLOR counts as not set.
  static func supportsControl(noColor: String?, term: String?) -> Bool {
    (noColor ?? "").isEmpty && !(term ?? "").isEmpty && term != "dumb"
  }
}
