import MPI

/// Groups of ranks.
let communicatorCases: [RankCase] = [
  RankCase("world") { world in
    print("rank \(world.rank) of \(world.size)")
    try expect(Program.threadLevel >= .serialized, true, "thread level \(Program.threadLevel)")
    try expect(Program.libraryVersion.isEmpty, false, "library version")
  },
  RankCase("duplicate") { world in
    let other = try world.duplicate()
    try expect(other.rank, world.rank, "rank")
    try expect(other.size, world.size, "size")
    // The same tag on two channels: each message stays on its own.
    let next = (world.rank + 1) % world.size
    let previous = (world.rank + world.size - 1) % world.size
    let first = try world.startSend([1, world.rank], to: next, tag: 0)
    let second = try other.startSend([2, world.rank], to: next, tag: 0)
    try expect(try other.receive(from: previous, tag: 0), [2, previous], "on the duplicate")
    try expect(try world.receive(from: previous, tag: 0), [1, previous], "on the world")
    _ = try first.wait()
    _ = try second.wait()
  },
  RankCase("split") { world in
    // Even and odd ranks, in reverse order; the last rank in neither.
    let last = world.size - 1
    let part = try world.split(color: world.rank == last ? nil : world.rank % 2, key: -world.rank)
    if world.rank == last {
      try expect(part == nil, true, "no communicator without a color")
    } else if let part {
      let members = (0..<last).filter { $0 % 2 == world.rank % 2 }.reversed()
      try expect(part.size, members.count, "size")
      try expect(try part.allGather(world.rank), Array(members), "members")
    } else {
      throw CaseFailure("no communicator")
    }
    try world.barrier()
  },
  RankCase("splitByNode") { world in
    let node = try world.splitByNode()
    try expect(node.size, world.size, "all ranks of a test run on one node")
    try expect(node.rank, world.rank, "rank")
  },
]
