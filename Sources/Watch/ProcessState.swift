/// What the kernel says of a process.
struct ProcessState: Equatable {
  /// As in `stat` of `proc(5)`.
  private let letter: String

  init(_ letter: String) { self.letter = letter }

  /// Stopped by a signal, and not by a debugger.
  var isStopped: Bool { letter == "T" }

  /// In words, where that tells something.
  var text: String? {
    switch letter {
    case "T": "stopped by a signal"
    case "t": "stopped by a debugger"
    case "D": "waits for a disk or a network file system"
    case "Z", "X": "has ended"
    default: nil
    }
  }
}
