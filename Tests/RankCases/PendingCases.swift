import MPI

/// The non-blocking forms give back their buffer, with the same result as the blocking ones.
let pendingCases: [RankCase] = [
  RankCase("startBarrier") { world in
    let request = try world.startBarrier()
    while try !request.test() {}
    try request.wait()
  },
  RankCase("startBroadcast") { world in
    for root in 0..<world.size {
      let own: [Float] = samples(world.rank, 12)
      let pending = try world.startBroadcast(own, range: 2..<10, root: root)
      let result = try pending.wait()
      let sent: [Float] = samples(root, 12)
      var expected = own
      expected.replaceSubrange(2..<10, with: sent[2..<10])
      try expect(result, expected, "root \(root)")
    }
  },
  RankCase("startAllReduce") { world in
    let own: [Float] = samples(world.rank, 12)
    // Two at once, waited for in the other order.
    let first = try world.startAllReduce(own, .sum)
    let second = try world.startAllReduce(own, range: 3..<5, .maximum)
    let maximum = try second.wait()
    let sum = try first.wait()
    let sums: [Float] = combined(12, world.size, +)
    let maxima: [Float] = combined(12, world.size, max)
    try expect(sum, sums, "sum")
    var expected = own
    expected.replaceSubrange(3..<5, with: maxima[3..<5])
    try expect(maximum, expected, "maximum of a range")
    try expect(own, samples(world.rank, 12), "the caller's own copy")
  },
  RankCase("startReduceScatter") { world in
    for shift in 0..<6 {
      let partition = Partition(counts: unevenCounts(world.size, shift))
      let own: [Float] = samples(world.rank, partition.end)
      let pending = try world.startReduceScatter(
        own, into: [Float](repeating: -1, count: partition.counts[world.rank] + 1), partition, .sum)
      let pair = try pending.wait()
      let expected: [Float] = combined(partition.end, world.size, +)
      try expect(pair.received, expected[partition.range(of: world.rank)] + [-1], "shift \(shift)")
      try expect(pair.sent, own, "the source, shift \(shift)")
    }
  },
  RankCase("startAllGather") { world in
    for shift in 0..<6 {
      let counts = unevenCounts(world.size, shift)
      for partition in [Partition(counts: counts), gapped(counts)] {
        var all = [Int32](repeating: -1, count: partition.end + 1)
        all.replaceSubrange(partition.range(of: world.rank), with: samples(world.rank, counts[world.rank]))
        try expect(try world.startAllGather(inPlace: all, partition).wait(), gathered(partition), "\(partition)")
      }
    }
  },
  RankCase("startAllToAll") { world in
    for shift in 0..<6 {
      let sending = gapped(allToAllCounts(from: world.rank, world.size, shift))
      let receiving = gapped(
        (0..<world.size).map { allToAllCounts(from: $0, world.size, shift)[world.rank] })
      let source = allToAllSource(world.rank, sending)
      let pending = try world.startAllToAll(
        source, sending, into: [Float](repeating: -1, count: receiving.end + 1), receiving)
      let pair = try pending.wait()
      try expect(pair.received, allToAllResult(world.rank, receiving), "shift \(shift)")
      try expect(pair.sent, source, "the source")
    }
  },
  RankCase("startSendAndReceive") { world in
    // Everybody sends to everybody, itself included: a deadlock for blocking sends of this length.
    for count in [0, 6, 20_000] {
      for step in 0..<world.size {
        let to = (world.rank + step) % world.size
        let from = (world.rank + world.size - step) % world.size
        let sending = try world.startSend(samples(world.rank, count + 2) as [Int], range: 1..<count + 1, to: to, tag: 3)
        let receiving = try world.startReceive(
          into: [Int](repeating: -1, count: count + 2), range: 2..<count + 2, from: from, tag: 3)
        let received = try receiving.wait()
        let sent = try sending.wait()
        let expected: [Int] = samples(from, count + 2)
        try expect(received == [-1, -1] + expected[1..<count + 1], true, "\(count) of rank \(from)")
        try expect(sent == samples(world.rank, count + 2), true, "the source")
      }
    }
  },
  RankCase("pendingNoncopyable") { world in
    let owner = OwnedFloats([1, 2, 3])
    let pending = try world.startAllReduce(owner, .sum)
    var back = try pending.wait()
    let total = (0..<back.span.count).reduce(Float(0)) { $0 + back.span[$1] }
    try expect(total, Float(6 * world.size), "sum")
    let span = back.mutableSpan
    try expect(span.count, 3, "elements")

    let one = Partition(counts: [Int](repeating: 1, count: world.size))
    let zeros = OwnedFloats([Float](repeating: 0, count: world.size))
    let pair = try world.startAllToAll(
      OwnedFloats([Float](repeating: Float(world.rank), count: world.size)), one, into: zeros, one
    ).wait()
    let received = pair.received
    let sent = pair.sent
    for other in 0..<world.size { try expect(received.span[other], Float(other), "from rank \(other)") }
    try expect(sent.span[0], Float(world.rank), "the source")
  },
]

/// A buffer that cannot be copied, like those of a trainer.
private struct OwnedFloats: ~Copyable, TransferBuffer {
  private var values: [Float]

  init(_ values: [Float]) { self.values = values }

  var span: Span<Float> { @_lifetime(borrow self) borrowing get { values.span } }
  var mutableSpan: MutableSpan<Float> { @_lifetime(&self) mutating get { values.mutableSpan } }
}
