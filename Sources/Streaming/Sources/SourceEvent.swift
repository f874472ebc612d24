/// What a look for the next row of a source came to.
enum SourceEvent: Equatable {
  case row
  /// A row whose class is none of those that are known, and has this name.
  case unknownClass(String)
  /// What is wrong with the row that was passed over.
  case malformed(String)
  /// There is none yet.
  case nothing
  /// There is none, and none comes.
  case end
}
