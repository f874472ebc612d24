/// The nodes that a plan is for, and what is between them.
///
/// Rank r is on node ⌊r / ranksPerNode⌋. A message between nodes takes `latency` and its bytes at `bandwidth`, which the ranks of a
/// node share, each way (the model of Hockney, 1994); within a node it takes what was measured there.
public struct Cluster: Equatable, Sendable {
  public let ranks: Int
  public let ranksPerNode: Int
  /// Bytes a second that a node sends, and as many that it receives.
  public let bandwidth: Double
  /// Seconds of an empty message between nodes.
  public let latency: Double
  /// Bytes of a node.
  public let memory: Int

  public init(ranks: Int, ranksPerNode: Int, bandwidth: Double, latency: Double, memory: Int) {
    precondition(ranks > 0 && ranksPerNode > 0, "\(ranks) ranks, \(ranksPerNode) a node")
    precondition(bandwidth > 0 && latency >= 0, "\(bandwidth) B/s, \(latency) s")
    self.ranks = ranks
    self.ranksPerNode = ranksPerNode
    self.bandwidth = bandwidth
    self.latency = latency
    self.memory = memory
  }

  public var nodes: Int { (ranks + ranksPerNode - 1) / ranksPerNode }

  func node(ofRank rank: Int) -> Int { rank / ranksPerNode }

  /// Ranks that all exchange with each other: `count` of them from `first` on, `stride` apart.
  struct Group {
    let first: Int
    let stride: Int
    let count: Int
  }

  /// Seconds in which each rank of a group brings `bytes` bytes to the others, in `rounds` rounds, while all ranks of its node do likewise
  /// in groups of their own.
  /// - Parameter messages: how many a rank sends; one to each other in each round without it.
  func exchange(
    _ bytes: Double, rounds: Int, messages: Int? = nil, in group: Group, _ profile: MachineProfile
  ) -> Double {
    guard group.count > 1, rounds > 0 else { return 0 }
    let neighbours = mostNeighbours(in: group)
    let outside = Double(group.count - neighbours) / Double(group.count - 1)
    var seconds = 0.0
    if neighbours > 1 { seconds += Double(rounds) * profile.exchange.seconds(bytes * (1 - outside) / Double(rounds)) }
    if outside > 0 {
      let messages = messages ?? rounds * (group.count - neighbours)
      seconds += Double(rounds - 1) * latency + between(bytes * outside, messages: messages)
    }
    return seconds
  }

  /// Seconds in which each rank of a node sends `bytes` bytes in so many messages to other nodes, and receives as many.
  func between(_ bytes: Double, messages: Int) -> Double {
    guard messages > 0 else { return 0 }
    let isOneWay = bytes / Double(messages) > Self.mostBytesBothWays
    return latency + Double(min(ranks, ranksPerNode)) * bytes / bandwidth * (isOneWay ? Self.oneWayFactor : 1)
  }

  /// Messages of more bytes do not always go both ways at once: Open MPI 4.1 over TCP sends what the receiver asks for. Measured on two
  /// hosts, 0 to 50 % more than the line takes, of the same program on the same link; most often about so much.
  private static let mostBytesBothWays = 65_536.0
  private static let oneWayFactor = 1.2

  /// Seconds until a message of `bytes` bytes from one rank is at another, where `sharing` ranks of the node send at the same time.
  func message(_ bytes: Double, from: Int, to: Int, sharing: Int, _ profile: MachineProfile) -> Double {
    node(ofRank: from) == node(ofRank: to)
      ? profile.exchange.seconds(bytes) : latency + Double(sharing) * bytes / bandwidth
  }

  /// The ranks of the group that are on a node with its first, which with ranks in order is as many as on any.
  private func mostNeighbours(in group: Group) -> Int {
    let end = (node(ofRank: group.first) + 1) * ranksPerNode
    return min(group.count, (end - 1 - group.first) / group.stride + 1)
  }
}
