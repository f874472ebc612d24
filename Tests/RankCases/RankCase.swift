import MPI

/// Something that all ranks do together, and check.
struct RankCase: Sendable {
  var name: String
  /// Gives the exit code, 0 for a case that only checks.
  var body: @Sendable (borrowing Communicator) throws -> Int32

  init(_ name: String, _ body: @escaping @Sendable (borrowing Communicator) throws -> Void) {
    self.name = name
    self.body = { world in
      try body(world)
      return 0
    }
  }

  init(_ name: String, exiting body: @escaping @Sendable (borrowing Communicator) -> Int32) {
    self.name = name
    self.body = body
  }
}

/// A rank found something else than the case expects; or a case that is meant to fail does so.
struct CaseFailure: Error, CustomStringConvertible {
  var message: String
  var exitCode: Int32

  init(_ message: String, exitCode: Int32 = 1) {
    self.message = message
    self.exitCode = exitCode
  }

  var description: String { message }
}

func expect<T: Equatable>(_ found: T, _ expected: T, _ what: @autoclosure () -> String) throws {
  if found != expected { throw CaseFailure("\(what()): found \(found), expected \(expected)") }
}

/// The element `index` of rank `rank`, small enough for every type and for exact sums of floats.
func sample<E: MPIElement & Numeric>(_ rank: Int, _ index: Int) -> E {
  E(exactly: (rank * 31 + index * 7) % 29 + 1) ?? .zero
}

func samples<E: MPIElement & Numeric>(_ rank: Int, _ count: Int) -> [E] {
  (0..<count).map { sample(rank, $0) }
}

/// Uneven counts for each rank, with zeros among them; never all alike for more than one rank.
func unevenCounts(_ size: Int, _ shift: Int = 0) -> [Int] {
  (0..<size).map { [5, 0, 8, 1, 3, 0][($0 + shift) % 6] }
}

/// The parts of a partition with two elements of nothing before each, in reverse order.
func gapped(_ counts: [Int]) -> Partition {
  var displacements = [Int](repeating: 0, count: counts.count)
  var next = 2
  for part in counts.indices.reversed() {
    displacements[part] = next
    next += counts[part] + 2
  }
  return Partition(counts: counts, displacements: displacements)
}
