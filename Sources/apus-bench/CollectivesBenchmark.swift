import Files
import Kernels
import MPI
import Parallel
import Text

/// The sum of a gradient over the ranks of a node: MPI's all-reduce, the exchange of slices that `ordered` is made of where ranks do not
/// share memory, and the sum in memory that they share. And what it costs to wait for each other.
enum CollectivesBenchmark {
  private static let repeats = 21

  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    let node = try world.splitByNode()
    for floats in [1024, 65_536, try settings.integer("floats", default: 540_000), 1 << 24] {
      let slices = Partition(total: floats, parts: world.size)
      let reduce = try allReduce(floats, world)
      let exchange = try exchange(slices, world)
      let shared = node.size == world.size ? try shared(slices, node) : nil
      guard world.rank == 0 else { continue }
      var line =
        "\(padded(grouped(floats), to: 10, .right)) floats on \(world.size) ranks: all-reduce \(microseconds(reduce))"
      for (name, seconds) in [("exchange", exchange), ("shared memory", shared)] {
        guard let seconds else { continue }
        line += ", \(name) \(microseconds(seconds)) (\(fixed(reduce / seconds, decimals: 2)) times as fast)"
      }
      StandardStream.output.write(line + "\n")
    }
    try barriers(world, node)
  }

  private static func microseconds(_ seconds: Double) -> String { "\(fixed(seconds * 1e6, decimals: 1)) us" }

  private static func allReduce(_ floats: Int, _ world: borrowing Communicator) throws -> Double {
    var buffer = FloatBuffer(count: floats)
    try world.barrier()
    return try Bench.median(of: repeats) { try world.sum(&buffer) }
  }

  /// Each rank adds its slice of all gradients, then the slices are gathered.
  private static func exchange(_ slices: Partition, _ world: borrowing Communicator) throws -> Double {
    var buffer = FloatBuffer(count: slices.end)
    let mine = slices.counts[world.rank]
    let receiving = Partition(counts: Array(repeating: mine, count: world.size))
    var received = FloatBuffer(count: mine * world.size)
    try world.barrier()
    return try Bench.median(of: repeats) {
      try world.allToAll(buffer, slices, into: &received, receiving)
      for rank in 1..<max(world.size, 2) where rank < world.size {
        Elementwise.add(within: &received, rank * mine..<(rank + 1) * mine, to: 0)
      }
      try world.allGather(received, into: &buffer, slices)
    }
  }

  /// Each rank adds its slice of all gradients where they are; the barrier at the end lets all read the sum.
  private static func shared(_ slices: Partition, _ node: borrowing Communicator) throws -> Double {
    let (floats, ranks, rank) = (slices.end, node.size, node.rank)
    let width = (floats + 15) / 16 * 16
    let window = try SharedWindow(count: width * ranks, node: node)
    var memory = FloatBuffer(sharing: window.floats(0..<width * ranks))
    memory.fill(rank * width..<rank * width + floats, with: 1)
    let mine = slices.range(of: rank)
    let own = rank * width
    return Bench.median(of: repeats) {
      window.barrier()
      for block in stride(from: mine.lowerBound, to: mine.upperBound, by: 16_384) {
        let count = min(16_384, mine.upperBound - block)
        for other in 0..<ranks where other != rank {
          Elementwise.sum(within: &memory, own + block, other * width + block, count: count, to: own + block)
        }
      }
      window.barrier()
    }
  }

  private static func barriers(_ world: borrowing Communicator, _ node: borrowing Communicator) throws {
    let count = 1000
    let window = try SharedWindow(count: 0, node: node)
    try world.barrier()
    let library = try Bench.median(of: 5) { for _ in 0..<count { try world.barrier() } } / Double(count)
    let flags = Bench.median(of: 5) { for _ in 0..<count { window.barrier() } } / Double(count)
    guard world.rank == 0 else { return }
    StandardStream.output.write(
      "a barrier: MPI_Barrier \(fixed(library * 1e6, decimals: 2)) us, in shared memory \(fixed(flags * 1e6, decimals: 2)) us\n"
    )
  }
}
