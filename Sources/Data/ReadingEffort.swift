/// What reading has taken so far.
struct ReadingEffort {
  var time = Duration.zero
  /// Rows read, those read again counted again.
  var rows = 0
}
