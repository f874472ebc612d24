public import MPI

/// All ranks as a grid data × pipeline × tensor, and the groups in which they talk.
///
/// The ranks of a node are next to each other in the grid, so that a layer's parts, which talk most, share a node where they can. Rank 0
/// of the world is the first of the grid.
public final class ProcessGrid {
  public let place: GridPlace
  /// All ranks, in the order of the world.
  public let world: Communicator
  /// The ranks that hold one copy of the model together, by stage and then by part.
  public let model: Communicator
  /// The ranks that hold the parts of one stage.
  public let tensor: Communicator
  /// The ranks that hold the same part of the same stage, each for its own rows.
  public let data: Communicator
  /// The number in the grid of each rank of the world.
  public let indices: [Int]
  /// The node of each rank, by its number in the grid: that of its first rank.
  public let nodes: [Int]

  public var shape: GridShape { place.shape }

  /// Collective; `shape` has as many ranks as the world.
  public init(_ shape: GridShape, world: borrowing Communicator) throws(MPIError) {
    precondition(shape.ranks == world.size, "a grid of \(shape.ranks) ranks in a world of \(world.size)")
    // A node is known by the first of its ranks.
    let node = try world.splitByNode()
    let nodes = try world.allGather(try node.broadcast([world.rank], root: 0)[0])
    indices = Self.indices(nodes: nodes)
    self.nodes = nodes.sorted()
    let place = shape.place(indices[world.rank])
    self.place = place
    self.world = try world.duplicate()
    model = try Self.group(world, color: place.data.index, key: place.modelIndex)
    tensor = try Self.group(
      world, color: place.data.index * shape.pipeline + place.pipeline.index, key: place.tensor.index)
    data = try Self.group(world, color: place.modelIndex, key: place.data.index)
  }

  /// The number in the grid of each rank, given its node: those of a node one behind the other, in the order of the nodes' first ranks.
  static func indices(nodes: [Int]) -> [Int] {
    var indices = [Int](repeating: 0, count: nodes.count)
    let ordered = nodes.indices.sorted { (nodes[$0], $0) < (nodes[$1], $1) }
    for (index, rank) in ordered.enumerated() { indices[rank] = index }
    return indices
  }

  private static func group(_ world: borrowing Communicator, color: Int, key: Int) throws(MPIError) -> Communicator {
    guard let group = try world.split(color: color, key: key) else {
      preconditionFailure("no group for color \(color) of \(world.size) ranks")
    }
    return group
  }
}
