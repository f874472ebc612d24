/// What a look for the next row of a source came to.
enum SourceEvent: Equatable {
  case row
  /// What is wrong with the row that was passed over.
  case malformed(String)
  /// There is none yet.
  case nothing
  /// There is none, and none comes.
  case end
}
