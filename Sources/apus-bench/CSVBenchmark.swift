import Files
import Kernels
import MPI
import Preparation
import Text

/// A table of real numbers: from CSV to shards.
enum CSVBenchmark {
  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    let rows = try settings.integer("rows", default: 1_000_000)
    let columns = try settings.integer("columns", default: 28)
    let directory = SyntheticShards.temporaryDirectory()
    let table = settings.text("table", default: directory + ".csv")
    let isOwn = settings.text("table", default: "").isEmpty
    defer {
      if world.rank == 0 {
        try? FileSystem.removeTree(directory)
        if isOwn { try? FileSystem.remove(table) }
      }
    }
    if world.rank == 0, try FileSystem.status(of: table) == nil { try write(table, rows: rows, columns: columns) }
    try world.barrier()
    var request = PreparationRequest(inputs: [table], target: "y", output: directory)
    request.overwrite = true
    let start = ContinuousClock.now
    _ = try Preparer(request).run(on: world) { _ in }
    try world.barrier()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let memory = try world.allGather([Machine.peakMemoryBytes]).joined().map { String($0 / 1_000_000) }
    guard world.rank == 0 else { return }
    let bytes = try FileSystem.status(of: table)?.bytes ?? 0
    StandardStream.output.write(
      "csv rows=\(rows) columns=\(columns) ranks=\(world.size) seconds=\(fixed(seconds, decimals: 3))"
        + " samples/s=\(fixed(Double(rows) / seconds, decimals: 0)) \(Text.bytes(Int(Double(bytes) / seconds)))/s,"
        + " peak_MB=\(memory.joined(separator: ","))\n")
  }

  /// Writes a table of normal numbers with six decimals, and a last column `y` that they add up to.
  private static func write(_ path: String, rows: Int, columns: Int) throws {
    let partial = FileSystem.partialPath(for: path)
    let file = try File.create(partial)
    try file.write((0..<columns).map { "x\($0)" }.joined(separator: ",") + ",y\n")
    var stream = RandomStream(seed: 1, stream: 0x637376)
    var text: [UInt8] = []
    for _ in 0..<rows {
      var sum = 0
      for _ in 0..<columns {
        let millionths = Int((stream.normal() * 1e6).rounded())
        sum += millionths
        append(millionths, to: &text)
        text.append(UInt8(ascii: ","))
      }
      append(sum, to: &text)
      text.append(UInt8(ascii: "\n"))
      if text.count > 1 << 20 {
        try file.write(text)
        text.removeAll(keepingCapacity: true)
      }
    }
    try file.write(text)
    try file.close()
    try FileSystem.publish(partial, as: path)
  }

  private static func append(_ millionths: Int, to text: inout [UInt8]) {
    if millionths < 0 { text.append(UInt8(ascii: "-")) }
    let (whole, fraction) = Int(millionths.magnitude).quotientAndRemainder(dividingBy: 1_000_000)
    text.append(contentsOf: String(whole).utf8)
    text.append(UInt8(ascii: "."))
    let digits = String(fraction).utf8
    text.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 6 - digits.count))
    text.append(contentsOf: digits)
  }
}
