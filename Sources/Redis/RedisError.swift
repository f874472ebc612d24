/// Why a server did not do what it was asked for.
public struct RedisError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Equatable, Sendable {
    /// The server cannot be reached, has gone, or does not answer in time: it may come back.
    case away
    /// What answers does not speak the protocol of Redis.
    case foreign
    /// The server refuses, with the first word of its answer: "NOAUTH", "WRONGTYPE", "ERR".
    case refused(String)
  }

  public let kind: Kind
  /// What went wrong, naming the server.
  public let description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// Words of answers that will be others soon: the server is loading its data, or busy, or its cluster is not whole.
  private static let passing: Set<String> = ["LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"]

  /// Whether the same may succeed a little later.
  public var isPassing: Bool {
    switch kind {
    case .away: true
    case .foreign: false
    case .refused(let word): Self.passing.contains(word)
    }
  }
}
