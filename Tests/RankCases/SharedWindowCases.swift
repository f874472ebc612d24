import Kernels
import MPI
import Parallel

/// Cases on memory that the ranks of a node share.
let sharedWindowCases: [RankCase] = [
  RankCase("sharedWindow") { world in
    let node = try world.splitByNode()
    let window = try SharedWindow(count: 3 * node.size, node: node)
    try expect([window.rank, window.size], [node.rank, node.size], "place in the window")
    var memory = FloatBuffer(sharing: window.floats(0..<3 * node.size))
    try expect(memory.values(), [Float](repeating: 0, count: 3 * node.size), "a new window")
    window.barrier()
    // Three places a rank: without the barriers somebody would read a number too early, or one that is written over already.
    for round in 0..<2000 {
      memory[3 * node.rank + round % 3] = Float(round * node.size + node.rank)
      window.barrier()
      for other in 0..<node.size {
        try expect(memory[3 * other + round % 3], Float(round * node.size + other), "rank \(other), round \(round)")
      }
    }
    if let room = SharedWindow.room { try expect(room > 0, true, "room for windows") }
  }
]
