import Foundation
import HDF5
import Testing

@Suite struct LibraryTests {
  /// Many threads, each with its own file, and all with one.
  @Test func threads() throws {
    let scratch = try Scratch()
    let shared = scratch.path("shared.h5")
    try writeFile(
      shared, (0..<4000).map { Float($0) }, shape: [1000, 4], chunk: [64, 4],
      filters: Filters(deflate: 1, fletcher32: true))
    let folder = scratch.folder
    let dataset = try HDF5File.open(shared).dataset(named: "features")
    let failures = Failures()
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      do {
        let path = folder + "/\(thread).h5"
        for round in 0..<5 {
          let values = (0..<100).map { Double($0 * thread + round) }
          try writeFile(path, values, shape: [100], chunk: [30])
          guard try HDF5File.open(path).dataset(named: "features").values(as: Double.self) == values else {
            throw Mismatch()
          }
          let rows = thread * 100..<thread * 100 + 150
          guard try dataset.rows(rows) == (rows.lowerBound * 4..<rows.upperBound * 4).map({ Float($0) }) else {
            throw Mismatch()
          }
          // An error, whose stack belongs to this thread.
          guard (try? HDF5File.open(path).dataset(named: "nothing").shape) == nil else { throw Mismatch() }
        }
      } catch {
        failures.add("\(error)")
      }
    }
    #expect(failures.all == [])
  }

  private struct Mismatch: Error {}

  private final class Failures: @unchecked Sendable {
    private let lock = NSLock()
    private var messages: [String] = []
    func add(_ message: String) { lock.withLock { messages.append(message) } }
    var all: [String] { lock.withLock { messages } }
  }

  /// A data set outlives the file that it was opened from.
  @Test func lifetimes() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try writeFile(path, [1, 2, 3] as [Float], shape: [3])
    func open() throws -> HDF5Dataset { try HDF5File.open(path).dataset(named: "features") }
    let dataset = try open()
    #expect(try dataset.values(as: Float.self) == [1, 2, 3])
  }

  /// Handles that are not given back would be found here: as many files as a process may not have open.
  @Test func handlesAreClosed() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try writeFile(path, [1, 2, 3] as [Float], shape: [3])
    func openFiles() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
    let before = try openFiles()
    for _ in 0..<300 {
      let file = try HDF5File.open(path)
      _ = try file.dataset(named: "features").values(as: Float.self)
      _ = try? file.dataset(named: "nothing")
      _ = try? file.group(named: "features")
    }
    // Other tests run beside this one and have files of their own.
    #expect(try openFiles() < before + 200)
  }
}
