/// Which ranks of a data group share memory: the ranks of each node, which follow one another in the group.
public struct NodeMap: Equatable, Sendable {
  /// The ranks of each node, in order.
  public let nodes: [Range<Int>]

  /// - Parameter names: what the node of each rank is called; nil where no two ranks of a node share memory, or the ranks of one do not
  ///   follow one another.
  public init?(_ names: [Int]) {
    var nodes: [Range<Int>] = []
    for (rank, name) in names.enumerated() {
      if let last = nodes.last, names[last.lowerBound] == name {
        nodes[nodes.count - 1] = last.lowerBound..<rank + 1
      } else {
        nodes.append(rank..<rank + 1)
      }
    }
    guard nodes.count == Set(names).count, nodes.contains(where: { $0.count > 1 }) else { return nil }
    self.nodes = nodes
  }

  /// So many ranks, each on a node of its own.
  public init(apart ranks: Int) { nodes = (0..<ranks).map { $0..<$0 + 1 } }

  /// The number of the node of `rank`.
  func node(of rank: Int) -> Int {
    guard let node = nodes.firstIndex(where: { $0.contains(rank) }) else {
      preconditionFailure("rank \(rank) is on none of \(nodes.count) nodes")
    }
    return node
  }

  /// The rank on `node` that works for `rank`, which is on another: it adds what that one owns, and receives it updated.
  func partner(of rank: Int, on node: Int) -> Int {
    let home = nodes[self.node(of: rank)]
    let there = nodes[node]
    return there.lowerBound + (rank - home.lowerBound) * there.count / home.count
  }
}
