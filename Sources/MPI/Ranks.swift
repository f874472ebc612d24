/// Ranks that work on something together, as far as exchanging arrays goes: a `Communicator`, or one process on its own.
///
/// What is written against it runs under MPI and without it. All operations are collective.
public protocol Ranks: ~Copyable {
  /// This process's place, 0 ..< size.
  var rank: Int { get }
  /// The number of ranks.
  var size: Int { get }

  /// The `values` of rank `root`; those of other ranks are ignored, and their length need not fit.
  borrowing func broadcast<E: MPIElement>(_ values: [E], root: Int) throws(MPIError) -> [E]
  /// The `values` of every rank, by rank; of any length.
  borrowing func allGather<E: MPIElement>(_ values: [E]) throws(MPIError) -> [[E]]
  /// What each rank has for this one, by rank, where `values[r]` is what this rank has for rank r; of any length.
  borrowing func allToAll<E: MPIElement>(_ values: [[E]]) throws(MPIError) -> [[E]]
}

extension Communicator: Ranks {}

/// One process on its own, which needs no MPI.
public struct SingleRank: Ranks {
  public let rank = 0
  public let size = 1

  public init() {}

  public func broadcast<E: MPIElement>(_ values: [E], root: Int) throws(MPIError) -> [E] { values }

  public func allGather<E: MPIElement>(_ values: [E]) throws(MPIError) -> [[E]] { [values] }

  public func allToAll<E: MPIElement>(_ values: [[E]]) throws(MPIError) -> [[E]] { values }
}
