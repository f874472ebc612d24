import Files
import Foundation
import Testing

@Suite struct FileTests {
  @Test func writesAppendsAndReadsAtOffsets() throws {
    let scratch = try Scratch()
    let path = scratch.file("x")
    let file = try File.create(path)
    try file.write([1, 2, 3])
    try file.write("äb")
    try file.synchronize()
    #expect(try file.size == 6)
    try file.close()

    let more = try File.openForAppending(path)
    try more.write([9])
    try more.close()

    let reader = try File.openForReading(path)
    #expect(try reader.read(at: 0, count: 100) == [1, 2, 3] + Array("äb".utf8) + [9])
    #expect(try reader.read(at: 2, count: 1) == [3])
    #expect(try reader.read(at: 7, count: 1) == [])
    #expect(try reader.read(at: 100, count: 1) == [])
    #expect(try reader.status() == FileSystem.status(of: path))
  }

  @Test func floatsAreLittleEndian() throws {
    let scratch = try Scratch()
    let path = scratch.file("floats")
    let file = try File.create(path)
    let floats: [Float] = [1.5, -2, 3]
    try file.write(floats.span)
    try file.write([0, 0])
    try file.close()
    #expect(Array(try FileSystem.read(path, limit: 100)[..<4]) == [0, 0, 0xC0, 0x3F])

    let reader = try File.openForReading(path)
    var buffer = [Float](repeating: 7, count: 4)
    var span = buffer.mutableSpan
    let count = try reader.read(at: 4, into: &span)
    #expect(count == 2)
    #expect(buffer[..<2] == [-2, 3])
  }

  /// Several openers write one file, each its own places; interrupted and short transfers are carried on.
  @Test func floatsAtOffsets() throws {
    let scratch = try Scratch()
    let path = scratch.file("floats")
    let floats: [Float] = [1.5, -2, 3]
    for effect in [nil, FaultPlan.Effect.cutShort, .fail(EINTR)] {
      let whole = try File.create(path)
      try whole.write([7])
      try whole.truncate(to: 18)
      let plan = effect.map { FaultPlan(calls: [.pwrite], first: 1, effect: $0, persists: $0 == .cutShort) }
      try FaultPlan.$current.withValue(plan) {
        let part = try File.openOrCreate(path)
        try part.write(floats.span.extracting(1..<3), at: 5)
        try part.write(floats.span.extracting(0..<1), at: 1)
        try part.close()
      }
      try whole.close()
      let bytes = try FileSystem.read(path, limit: 100)
      #expect(bytes == [7, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0x40, 0x40, 0, 0, 0, 0, 0])
    }
    #expect(failure { _ = try File.openOrCreate(scratch.file("none/x")) }?.isOutput == true)
    #expect(failure { _ = try File.openForWriting(scratch.file("none")) }?.isOutput == true)
  }

  @Test func truncates() throws {
    let scratch = try Scratch()
    let path = scratch.file("x")
    try FileSystem.write([1, 2, 3, 4], to: path)
    let file = try File.openForAppending(path)
    try file.truncate(to: 2)
    try file.write([5])
    try file.close()
    #expect(try FileSystem.read(path, limit: 3) == [1, 2, 5])
  }

  @Test func errorsNameTheFileAndTheReason() throws {
    let scratch = try Scratch()
    let path = scratch.file("none/x.h5")
    let missing = try #require(failure { _ = try File.openForReading(path) })
    #expect(missing.kind == .missing)
    #expect(missing.call == "open")
    #expect(missing.description == "cannot open '\(path)': No such file or directory")

    let directory = try #require(failure { _ = try File.openForReading(scratch.path) })
    #expect(directory.kind == .isDirectory)
    #expect(failure { _ = try File.create(scratch.path) }?.kind == .isDirectory)
    try FileSystem.write([], to: scratch.file("plain"))
    #expect(failure { _ = try File.create(scratch.file("plain/x")) }?.kind == .notDirectory)
    // A NUL would end the path early in C.
    #expect(failure { _ = try File.create(scratch.file("a\0b")) }?.code == EINVAL)
  }

  @Test func permission() throws {
    let scratch = try Scratch()
    let plan = FaultPlan(calls: [.open], first: 1, effect: .fail(EACCES))
    FaultPlan.$current.withValue(plan) {
      #expect(failure { _ = try File.openForReading(scratch.path) }?.kind == .permission)
    }
    // Root may read everything.
    if getuid() != 0 {
      try FileSystem.write([1], to: scratch.file("secret"))
      chmod(scratch.file("secret"), 0)
      #expect(failure { _ = try File.openForReading(scratch.file("secret")) }?.kind == .permission)
    }
  }

  /// Interrupted and short transfers are carried on; nothing of it is seen outside.
  @Test func interruptedAndShortTransfers() throws {
    let scratch = try Scratch()
    let path = scratch.file("x")
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
    for effect in [FaultPlan.Effect.cutShort, .fail(EINTR)] {
      let persists = effect == .cutShort
      for first in 1...3 {
        try FaultPlan.$current.withValue(FaultPlan(first: first, effect: effect, persists: persists)) {
          try FileSystem.write(bytes, to: path)
          #expect(try FileSystem.read(path, limit: 1_000) == bytes)
        }
      }
    }
  }

  @Test func closeTellsOfFailure() throws {
    let scratch = try Scratch()
    let plan = FaultPlan(calls: [.close], first: 1, effect: .fail(EIO))
    FaultPlan.$current.withValue(plan) {
      let error = failure { try File.create(scratch.file("x")).close() }
      #expect(error?.call == "close" && error?.code == EIO)
    }
    #expect(plan.callsSeen == 1)
  }

  /// Whatever lies where in memory and in the file, and whether pages can be written past the cache or not.
  @Test(arguments: [0, 4096, 8, 100, 4092]) func writingPastTheCache(_ start: Int) throws {
    let scratch = try Scratch()
    let floats = (0..<200_000).map { Float($0) }
    let base = floats.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    // From here on pages of memory and pages of the file begin together; a float later they do not.
    let aligned = ((start - base) % 4096 + 4096) % 4096 / 4
    for first in [aligned, aligned + 1] {
      let part = floats[first...]
      func check(_ plan: FaultPlan?) throws {
        let path = scratch.file("past-\(first)")
        try FaultPlan.$current.withValue(plan) {
          let file = try File.create(path)
          try file.reserve(bytes: start + 4 * part.count)
          // The second piece goes on where the first ends.
          let border = first + 1024 * (part.count / 2048)
          let pieces = [
            File.Piece(first..<border, at: start), File.Piece(border..<floats.count, at: start + 4 * (border - first)),
          ]
          try file.writePastCache(floats.span, pieces)
          try file.close()
        }
        let file = try File.openForReading(path)
        #expect(try file.size == start + 4 * part.count)
        var found = [Float](repeating: 0, count: part.count)
        var span = found.mutableSpan
        _ = try file.read(at: start, into: &span)
        #expect(found == Array(part))
      }
      try check(nil)
      try check(FaultPlan(calls: [.fcntl], first: 1, effect: .fail(EINVAL)))
      try check(FaultPlan(calls: [.fallocate], first: 1, effect: .fail(EOPNOTSUPP)))
      // The pages themselves, behind what comes before and after those of each piece.
      let edges = start % 4096 == 0 ? 1 : 4
      for call in 1...2 {
        let pages = FaultPlan(calls: [.pwrite], first: edges + call, effect: .fail(EINVAL))
        if first == aligned { try check(pages) }
      }
      for call in 1...edges + 2 { try check(FaultPlan(calls: [.pwrite], first: call, effect: .cutShort)) }
      #expect(throws: FilesError.self) { try check(FaultPlan(calls: [.fallocate], first: 1, effect: .fail(ENOSPC))) }
      #expect(throws: FilesError.self) { try check(FaultPlan(calls: [.pwrite], first: 1, effect: .fail(ENOSPC))) }
    }
  }
}
