import Glibc
import MPI

/// What must end the whole program: each is run on its own and its exit code checked.
let faultCases: [RankCase] = [
  RankCase("exit75", exiting: { _ in 75 }),
  RankCase(
    "stop",
    exiting: { world in
      if world.rank == 1 { raise(SIGSTOP) }
      return 0
    }),
  RankCase("exitRank", exiting: { world in Int32(10 + world.rank) }),
  RankCase("throwBeforeCollective") { world in
    if world.rank == world.size - 1 { throw CaseFailure("this rank cannot go on", exitCode: 65) }
    try world.barrier()
  },
  RankCase("throwBeforeMessage") { world in
    if world.rank == world.size - 1 { throw CaseFailure("this rank cannot go on", exitCode: 65) }
    let _: [Float] = try world.receive(from: world.size - 1, tag: 0)
  },
  RankCase("throwWithPending") { world in
    // The operations of the rank that fails can never end; the error must get past them.
    let pending = try world.startReceive(into: [Float](repeating: 0, count: 4), from: world.rank, tag: 0)
    if world.rank == world.size - 1 { throw CaseFailure("this rank cannot go on", exitCode: 65) }
    _ = try pending.wait()
  },
  RankCase("throwWithCommunicator") { world in
    let other = try world.duplicate()
    if world.rank == world.size - 1 { throw CaseFailure("this rank cannot go on", exitCode: 65) }
    try other.barrier()
  },
  RankCase("throwWhileOthersCompute") { world in
    if world.rank == world.size - 1 { throw CaseFailure("this rank cannot go on", exitCode: 65) }
    try computeForEver()
  },
  RankCase("abort") { world in
    if world.rank == world.size - 1 { Program.abort(code: 76) }
    try world.barrier()
  },
  RankCase("forgetPending") { world in
    _ = try world.startReceive(into: [Float](repeating: 0, count: 4), from: world.rank, tag: 0)
  },
  RankCase("computeForEver") { world in
    print("rank \(world.rank) computes")
    try world.barrier()
    try computeForEver()
  },
  RankCase("mismatchCollective") { world in
    if world.rank == 1 {
      try world.barrier()
    } else {
      _ = try world.allReduce([Float(1), 2, 3], .sum)
    }
  },
  RankCase("mismatchCount") { world in
    _ = try world.allReduce([Float](repeating: 1, count: world.rank == 1 ? 4 : 5), .sum)
  },
  RankCase("mismatchOperation") { world in
    _ = try world.allReduce([Float(1)], world.rank == 1 ? .maximum : .sum)
  },
  RankCase("mismatchType") { world in
    if world.rank == 1 { _ = try world.allReduce([1], .sum) } else { _ = try world.allReduce([1.0], .sum) }
  },
  RankCase("mismatchRoot") { world in
    var buffer = [Float(1)]
    var span = buffer.mutableSpan
    try world.broadcast(&span, root: world.rank == 1 ? 1 : 0)
  },
  RankCase("mismatchPartition") { world in
    var buffer = [Float](repeating: 1, count: 3 * world.size)
    var span = buffer.mutableSpan
    var counts = [Int](repeating: 2, count: world.size)
    counts[world.rank == 1 ? 1 : 0] = 3
    try world.allGather(inPlace: &span, Partition(counts: counts))
  },
  RankCase("mismatchAllToAll") { world in
    let counts = [Int](repeating: 2, count: world.size)
    var expected = counts
    if world.rank == 1 { expected[0] = 1 }
    let source = [Float](repeating: 1, count: 2 * world.size)
    var target = source
    var span = target.mutableSpan
    try world.allToAll(source.span, counts: counts, into: &span, counts: expected)
  },
  RankCase("mismatchPending") { world in
    if world.rank == 1 {
      _ = try world.allReduce([Float(1)], .sum)
    } else {
      _ = try world.startAllReduce([Float(1)], .sum).wait()
    }
  },
]

/// Outside MPI, where the library cannot notice that others have ended.
private func computeForEver() throws {
  var state: UInt64 = 1
  while true {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    if state == 0 { throw CaseFailure("the generator has a zero", exitCode: 2) }
  }
}
