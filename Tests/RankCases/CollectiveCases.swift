import MPI

/// Every collective against the same thing computed on one rank.
let collectiveCases: [RankCase] = [
  RankCase("barrier") { world in
    for _ in 0..<3 { try world.barrier() }
  },
  RankCase("broadcast") { world in
    for root in 0..<world.size {
      for count in [0, 1, 7, 12] {
        var buffer: [Float] = samples(world.rank, count)
        var span = buffer.mutableSpan
        try world.broadcast(&span, root: root)
        try expect(buffer, samples(root, count), "root \(root), \(count) elements")
      }
      let bytes: [UInt8] = try world.broadcast(samples(world.rank, 3 + world.rank), root: root)
      try expect(bytes, samples(root, 3 + root), "bytes of root \(root)")
    }
  },
  RankCase("allReduce") { world in
    try checkReductions(Float.self, world)
    try checkReductions(Double.self, world)
    try checkReductions(UInt8.self, world)
    try checkReductions(Int32.self, world)
    try checkReductions(Int64.self, world)
    try checkReductions(UInt64.self, world)
    try checkReductions(Int.self, world)
    try expect(try world.allReduce(1 << world.rank, .bitwiseOr), 1 << world.size - 1, "or")
    try expect(try world.allReduce(~(1 << world.rank), .bitwiseAnd), ~(1 << world.size - 1), "and")
  },
  RankCase("reduce") { world in
    for root in 0..<world.size {
      let own: [Double] = samples(world.rank, 10)
      var buffer = own
      var span = buffer.mutableSpan
      try world.reduce(&span, .sum, root: root)
      try expect(buffer, world.rank == root ? combined(10, world.size, +) : own, "root \(root)")
    }
  },
  RankCase("reduceScatter") { world in
    for shift in 0..<6 {
      let partition = Partition(counts: unevenCounts(world.size, shift))
      let own: [Float] = samples(world.rank, partition.end)
      var part = [Float](repeating: -1, count: partition.counts[world.rank] + 1)
      var span = part.mutableSpan
      try world.reduceScatter(own.span, into: &span, partition, .sum)
      let expected: [Float] = combined(partition.end, world.size, +)
      try expect(part, expected[partition.range(of: world.rank)] + [-1], "shift \(shift)")
      try expect(own, samples(world.rank, partition.end), "the source, shift \(shift)")
    }
  },
  RankCase("allGather") { world in
    for shift in 0..<6 {
      let counts = unevenCounts(world.size, shift)
      for partition in [Partition(counts: counts), gapped(counts)] {
        let own: [Int32] = samples(world.rank, counts[world.rank])
        var all = [Int32](repeating: -1, count: partition.end + 1)
        var span = all.mutableSpan
        try world.allGather(own.span, into: &span, partition)
        try expect(all, gathered(partition), "\(partition)")

        var inPlace = [Int32](repeating: -1, count: partition.end + 1)
        inPlace.replaceSubrange(partition.range(of: world.rank), with: own)
        span = inPlace.mutableSpan
        try world.allGather(inPlace: &span, partition)
        try expect(inPlace, gathered(partition), "\(partition) in place")
      }
      let arrays: [[UInt8]] = try world.allGather(samples(world.rank, counts[world.rank]))
      try expect(arrays, counts.indices.map { samples($0, counts[$0]) }, "arrays, shift \(shift)")
    }
    try expect(try world.allGather(world.rank), Array(0..<world.size), "ranks")
  },
  RankCase("gather") { world in
    for root in 0..<world.size {
      let counts = unevenCounts(world.size, root)
      for partition in [Partition(counts: counts), gapped(counts)] {
        let own: [Int32] = samples(world.rank, counts[world.rank])
        var all = [Int32](repeating: -1, count: world.rank == root ? partition.end + 1 : 0)
        var span = all.mutableSpan
        try world.gather(own.span, into: &span, world.rank == root ? partition : nil, root: root)
        if world.rank == root { try expect(all, gathered(partition), "\(partition)") }
      }
      let arrays: [[UInt8]]? = try world.gather(samples(world.rank, counts[world.rank]), root: root)
      try expect(
        arrays, world.rank == root ? counts.indices.map { samples($0, counts[$0]) } : nil, "arrays, root \(root)")
    }
  },
  RankCase("scatter") { world in
    for root in 0..<world.size {
      let counts = unevenCounts(world.size, root)
      for partition in [Partition(counts: counts), gapped(counts)] {
        let all: [Double] = world.rank == root ? samples(root, partition.end) : []
        var part = [Double](repeating: -1, count: counts[world.rank])
        var span = part.mutableSpan
        try world.scatter(all.span, world.rank == root ? partition : nil, into: &span, root: root)
        let expected: [Double] = samples(root, partition.end)
        try expect(part, Array(expected[partition.range(of: world.rank)]), "\(partition)")
      }
    }
  },
  RankCase("allToAll") { world in
    for shift in 0..<6 {
      let sendingCounts = allToAllCounts(from: world.rank, world.size, shift)
      let receivingCounts = (0..<world.size).map { allToAllCounts(from: $0, world.size, shift)[world.rank] }
      let dense = (Partition(counts: sendingCounts), Partition(counts: receivingCounts))
      let loose = (gapped(sendingCounts), gapped(receivingCounts))
      for (sending, receiving) in [dense, loose, (dense.0, loose.1)] {
        let source: [Float] = allToAllSource(world.rank, sending)
        var target = [Float](repeating: -1, count: receiving.end + 1)
        var span = target.mutableSpan
        try world.allToAll(source.span, sending, into: &span, receiving)
        try expect(target, allToAllResult(world.rank, receiving), "shift \(shift)")
      }
      let arrays = try world.allToAll(
        sendingCounts.indices.map { other in [UInt8](repeating: UInt8(other), count: sendingCounts[other]) })
      try expect(
        arrays, receivingCounts.map { [UInt8](repeating: UInt8(world.rank), count: $0) }, "arrays, shift \(shift)")
    }
  },
]

private func checkReductions<E: MPIElement & Numeric & Comparable>(
  _ type: E.Type, _ world: borrowing Communicator
) throws {
  for count in [0, 1, 10] {
    let own: [E] = samples(world.rank, count)
    try expect(try world.allReduce(own, .sum), combined(count, world.size, +), "sum of \(count) \(type)")
    try expect(try world.allReduce(own, .minimum), combined(count, world.size, min), "minimum of \(count) \(type)")
    try expect(try world.allReduce(own, .maximum), combined(count, world.size, max), "maximum of \(count) \(type)")
  }
  let twos = [E](repeating: E(exactly: 2) ?? .zero, count: 3)
  try expect(
    try world.allReduce(twos, .product), [E](repeating: E(exactly: 1 << world.size) ?? .zero, count: 3),
    "product of \(type)")
}

func combined<E: MPIElement & Numeric>(_ count: Int, _ size: Int, _ combine: (E, E) -> E) -> [E] {
  (0..<count).map { index in
    (1..<max(size, 1)).reduce(sample(0, index)) { combine($0, sample($1, index)) }
  }
}

/// What every rank ends with, and -1 where no part lies.
func gathered(_ partition: Partition) -> [Int32] {
  var all = [Int32](repeating: -1, count: partition.end + 1)
  for part in partition.counts.indices {
    all.replaceSubrange(partition.range(of: part), with: samples(part, partition.counts[part]))
  }
  return all
}

func allToAllCounts(from rank: Int, _ size: Int, _ shift: Int) -> [Int] {
  (0..<size).map { (rank * 2 + $0 * 3 + shift) % 6 }
}

/// Elements that tell who sent them, to whom, and which they were.
func allToAllSource(_ rank: Int, _ sending: Partition) -> [Float] {
  var source = [Float](repeating: -2, count: sending.end)
  for other in sending.counts.indices {
    for (index, place) in sending.range(of: other).enumerated() {
      source[place] = Float(rank * 10_000 + other * 100 + index)
    }
  }
  return source
}

func allToAllResult(_ rank: Int, _ receiving: Partition) -> [Float] {
  var target = [Float](repeating: -1, count: receiving.end + 1)
  for other in receiving.counts.indices {
    for (index, place) in receiving.range(of: other).enumerated() {
      target[place] = Float(other * 10_000 + rank * 100 + index)
    }
  }
  return target
}
