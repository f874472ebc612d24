import Failures
import Files
import MPI

/// Benchmarks of Apus's parts. Each prints what was measured and, where there is one, the limit to compare it with.
///
///     apus-bench kernels
///     apus-bench allocations
///     mpirun -n 2 apus-bench shards [--columns 784] [--rows 100000] [--deflate 4]
///     mpirun -n 2 apus-bench csv [--rows 1000000] [--columns 28] [--table FILE.csv]
///     mpirun -n 2 apus-bench collectives [--floats 540000]
///     mpirun -n 2 apus-bench layouts
///     mpirun -n 2 apus-bench step --layers 784,512,256,10 --batch 128 --optimizer adam --steps 200
///     apus-bench online [--rows 1000000] [--columns 28]
///     mpirun -n 2 apus-bench plan --layers 784,512,256,10 --batch 128 --steps 50
@main
enum Bench {
  private static let usage = """
    usage: apus-bench kernels
           apus-bench allocations
           mpirun -n 2 apus-bench shards [--columns 784] [--rows 100000] [--batch 128] [--deflate LEVEL] [--ahead true]
                                         [--data DIRECTORY: made where there is none, and kept]
           mpirun -n 2 apus-bench csv [--rows 1000000] [--columns 28] [--table FILE: made where there is none]
           mpirun -n 2 apus-bench collectives [--floats 540000]
           mpirun -n 2 apus-bench layouts [--layers 1024,2048,2048,2048,1024] [--batch ROWS] [--micro-batches 8] [--steps N]
                                          [--rounds N]
           mpirun -n 2 apus-bench step [--layers 784,512,256,10] [--batch ROWS_A_RANK] [--optimizer adam|sgd]
                                       [--steps N] [--rows N] [--reduction ordered|fast] [--shared-memory true|false]
                                       [--shuffle true|false] [--overlap true|false] [--wire float32|bfloat16]
           apus-bench online [--rows 1000000] [--columns 28]
           mpirun -n 2 apus-bench plan [--layers 784,512,256,10] [--batch ROWS_A_RANK] [--optimizer adam|sgd] [--steps N]
                                       [--rows N] [--reduction ordered|fast] [--shared-memory true|false] [--rounds N]
                                       [--overlap true|false] [--wire float32|bfloat16]
                                       [--bandwidth 1Gbit/s] [--latency 50us]: between nodes

    """

  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    Program.run(report: report) { world in
      let settings = try Settings(Array(words.dropFirst()))
      switch words.first {
      case "kernels": KernelsBenchmark.run()
      case "allocations": try AllocationsBenchmark.run(world)
      case "shards": try ShardsBenchmark.run(settings, world)
      case "csv": try CSVBenchmark.run(settings, world)
      case "collectives": try CollectivesBenchmark.run(settings, world)
      case "layouts": try LayoutsBenchmark.run(settings, world)
      case "step": try StepBenchmark.run(settings, world)
      case "online": try OnlineBenchmark.run(settings, world)
      case "plan": try PlanBenchmark.run(settings, world)
      default:
        if world.rank == 0 { StandardStream.error.write(usage) }
        return ExitCode.usage.rawValue
      }
      return ExitCode.success.rawValue
    }
  }

  private static func report(_ error: any Error, rank: Int) -> Int32 {
    let failure = Failure(error)
    StandardStream.error.write("apus-bench: rank \(rank): \(failure)\n")
    return failure.code.rawValue
  }

  /// Median of the seconds that `body` takes, over `repeats` calls after one that does not count.
  static func median(of repeats: Int, _ body: () throws -> Void) rethrows -> Double {
    try body()
    var times: [Double] = []
    for _ in 0..<repeats {
      let start = ContinuousClock.now
      try body()
      times.append((ContinuousClock.now - start) / .seconds(1))
    }
    return times.sorted()[repeats / 2]
  }
}

/// `--name value` pairs.
struct Settings {
  private var values: [String: String] = [:]

  init(_ words: [String]) throws {
    var rest = words[...]
    while let name = rest.popFirst() {
      guard name.hasPrefix("--"), let value = rest.popFirst() else {
        throw Failure(.usage, "'\(name)' is no --name with a value")
      }
      values[String(name.dropFirst(2))] = value
    }
  }

  func text(_ name: String, default fallback: String) -> String { values[name] ?? fallback }

  /// The sizes of a model, inputs first.
  func layers(default fallback: String) throws -> [Int] {
    let layers = text("layers", default: fallback).split(separator: ",").compactMap { Int($0) }
    guard layers.count >= 2, layers.allSatisfy({ $0 > 0 }) else {
      throw Failure(.usage, "--layers needs at least two sizes, as 784,10")
    }
    return layers
  }

  func integer(_ name: String, default fallback: Int) throws -> Int {
    guard let text = values[name] else { return fallback }
    guard let number = Int(text), number > 0 else { throw Failure(.usage, "--\(name) needs a whole number above 0") }
    return number
  }
}
