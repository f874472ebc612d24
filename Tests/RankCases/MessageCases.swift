import MPI

/// Messages between two ranks.
let messageCases: [RankCase] = [
  RankCase("sendAndReceive") { world in
    // From each rank to the next in turn, so that one world of one has nothing to do.
    for sender in 0..<world.size - 1 {
      for count in [0, 1, 3, 6, 10] {
        if world.rank == sender {
          let message: [Float] = samples(sender, count)
          try world.send(message.span, to: sender + 1, tag: count)
          try world.send(message.span, to: sender + 1, tag: 100)
        } else if world.rank == sender + 1 {
          var buffer = [Float](repeating: -1, count: 12)
          var span = buffer.mutableSpan
          let arrived = try world.receive(into: &span, from: sender, tag: count)
          try expect(arrived, count, "elements")
          try expect(
            buffer, samples(sender, count) + [Float](repeating: -1, count: 12 - count), "\(count) of rank \(sender)")
          try expect(try world.receive(from: sender, tag: 100), samples(sender, count) as [Float], "any length")
        }
      }
    }
  },
  RankCase("exchange") { world in
    let next = (world.rank + 1) % world.size
    let previous = (world.rank + world.size - 1) % world.size
    for count in [0, 1, 6, 20_000] {
      let message: [Double] = samples(world.rank, count)
      var buffer = [Double](repeating: 0, count: count)
      var span = buffer.mutableSpan
      try expect(
        try world.exchange(message.span, to: next, into: &span, from: previous, tag: Communicator.maximumTag), count,
        "elements")
      try expect(buffer == samples(previous, count), true, "what rank \(previous) sent")
    }
  },
  RankCase("waitingMessage") { world in
    if world.rank == 0 {
      try expect(try world.waitingMessage(tag: 5), nil, "before anybody sends")
      try world.barrier()
      var missing = Set(1..<world.size)
      while !missing.isEmpty {
        guard let other = try world.waitingMessage(tag: 5) else { continue }
        try expect(try world.receive(from: other, tag: 5), [other], "of rank \(other)")
        missing.remove(other)
      }
    } else {
      try world.barrier()
      try world.send([world.rank].span, to: 0, tag: 5)
    }
    try world.barrier()
  },
  RankCase("truncated") { world in
    try expectError(world, .truncated, "MPI_Recv", sending: 5) { world in
      var buffer = [Float](repeating: 0, count: 3)
      var span = buffer.mutableSpan
      _ = try world.receive(into: &span, from: 0, tag: 1)
    }
  },
  RankCase("truncatedPending") { world in
    try expectError(world, .truncated, "MPI_Wait", sending: 5) { world in
      _ = try world.startReceive(into: [Float](repeating: 0, count: 3), from: 0, tag: 1).wait()
    }
  },
  RankCase("shortPending") { world in
    try expectError(world, .short, "MPI_Irecv", sending: 2) { world in
      _ = try world.startReceive(into: [Float](repeating: 0, count: 3), from: 0, tag: 1).wait()
    }
  },
  RankCase("operationWithoutMeaning") { world in
    do {
      _ = try world.allReduce([Float(1)], .bitwiseAnd)
      throw CaseFailure("no error")
    } catch let error as MPIError {
      try expect(error.kind, .library, "kind")
      try expect(error.call, "MPI_Allreduce", "call")
      try expect(error.text.contains("MPI_ERR_OP"), true, "'\(error.text)' names MPI's error")
    }
  },
]

/// Rank 0 sends `count` elements to rank 1, whose `receive` throws an error of this kind.
private func expectError(
  _ world: borrowing Communicator, _ kind: MPIError.Kind, _ call: String, sending count: Int,
  _ receive: (borrowing Communicator) throws -> Void
) throws {
  if world.rank == 0 {
    let message: [Float] = samples(0, count)
    try world.send(message.span, to: 1, tag: 1)
  } else if world.rank == 1 {
    do {
      try receive(world)
    } catch let error as MPIError {
      try expect(error.kind, kind, "kind of \(error)")
      try expect(error.call, call, "call of \(error)")
      try expect(error.description.hasPrefix(call), true, "'\(error)'")
      return
    }
    throw CaseFailure("no error")
  }
}
