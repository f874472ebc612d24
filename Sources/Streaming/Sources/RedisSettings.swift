/// How streams of Redis are read.
struct RedisSettings: Equatable, Sendable {
  /// Where a stream begins of which there is no checkpoint.
  enum Start: String, CaseIterable, Sendable {
    /// With the first entry that the server has.
    case beginning
    /// Behind the last entry that the group was given; a group that is not there is made at the end of the stream.
    case group
  }

  /// What happens where entries are gone before they were read.
  enum MissingPolicy: String, CaseIterable, Sendable {
    /// Go on with what is there, and count them.
    case warn
    /// End with an error.
    case fail
  }

  var group: String
  var start: Start
  /// Takes away entries that are in checkpoints.
  var trims: Bool
  var missing: MissingPolicy
  /// How long a server may be away.
  var patience: Duration
  /// A file with the password; nil takes the environment's.
  var passwordFile: String?
}
