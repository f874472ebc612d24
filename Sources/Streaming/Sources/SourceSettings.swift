/// How the sources of a stream are read, and what happens to rows that are not as they should be.
struct SourceSettings: Equatable, Sendable {
  /// What happens to a row that cannot be learned as it is.
  enum Policy: String, CaseIterable, Sendable {
    /// Leave it out, and count it.
    case skip
    /// Put running means in the place of what is missing.
    case impute
    /// End with an error.
    case fail
    /// Learn it as if nothing were the matter.
    case learn
  }

  /// What a pipe gives to a stream that is resumed.
  enum ResumedPipe: String, CaseIterable, Sendable {
    /// All rows once more; those that are done with are passed over.
    case fromStart = "from_start"
    /// What comes after them.
    case goesOn = "goes_on"
  }

  var schema: RowSchema
  /// What happens to a row of a class that is not known.
  var newClasses: NewClassPolicy
  /// Classes that there may be.
  var mostClasses: Int
  /// The classes that are known at first; nil where targets are numbers.
  var classes: StreamClasses? { schema.classes.map { StreamClasses($0, most: mostClasses) } }

  /// Nil finds out.
  var format: SourceFormat?
  /// Waits for more where a file, or what is in a directory, ends.
  var follows: Bool
  /// Rows of each source; nil for all.
  var limit: Int?
  var malformed: Policy
  var incomplete: Policy
  var late: Policy
  /// How much earlier than the latest row another may have been made without being late.
  var lateness: Double
  var resumedPipe: ResumedPipe
  var sample: SampleRule
  var redis: RedisSettings
}
