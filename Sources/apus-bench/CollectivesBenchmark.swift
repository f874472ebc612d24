import Files
import Kernels
import MPI
import Parallel
import Text

/// The sum of a gradient over the ranks: MPI's all-reduce, and the exchange of slices that `ordered` is made of.
enum CollectivesBenchmark {
  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    for floats in [1024, 65_536, try settings.integer("floats", default: 540_000)] {
      var buffer = FloatBuffer(count: floats)
      try world.barrier()
      let reduce = try Bench.median(of: 50) { try world.sum(&buffer) }
      let slices = Partition(total: floats, parts: world.size)
      let mine = slices.counts[world.rank]
      let receiving = Partition(counts: Array(repeating: mine, count: world.size))
      var received = FloatBuffer(count: mine * world.size)
      try world.barrier()
      let exchange = try Bench.median(of: 50) {
        try world.allToAll(buffer, slices, into: &received, receiving)
        for rank in 1..<max(world.size, 2) where rank < world.size {
          Elementwise.add(within: &received, rank * mine..<(rank + 1) * mine, to: 0)
        }
        try world.allGather(received, into: &buffer, slices)
      }
      guard world.rank == 0 else { continue }
      StandardStream.output.write(
        "\(padded(grouped(floats), to: 10, .right)) floats on \(world.size) ranks: all-reduce \(fixed(reduce * 1e6, decimals: 1)) us,"
          + " ordered \(fixed(exchange * 1e6, decimals: 1)) us, ratio \(fixed(reduce / exchange, decimals: 2))\n")
    }
  }
}
