import Files
import Foundation
import Testing

@Suite struct FileSystemTests {
  @Test func status() throws {
    let scratch = try Scratch()
    try FileSystem.write([1, 2], to: scratch.file("x"))
    #expect(try FileSystem.status(of: scratch.file("x"))?.bytes == 2)
    #expect(try FileSystem.status(of: scratch.file("x"))?.kind == .regular)
    #expect(try FileSystem.status(of: scratch.path)?.kind == .directory)
    #expect(try FileSystem.status(of: "/dev/null")?.kind == .other)
    #expect(try FileSystem.status(of: scratch.file("none")) == nil)
    #expect(try FileSystem.status(of: scratch.file("x/y")) == nil)
  }

  @Test func listsByBytes() throws {
    let scratch = try Scratch()
    let names = ["b", "a", "B", "a10", "a2", "ä", ".hidden", "~", "e\u{301}"]
    for name in names { try FileSystem.write([], to: scratch.file(name), atomically: false) }
    #expect(try FileSystem.list(scratch.path) == [".hidden", "B", "a", "a10", "a2", "b", "e\u{301}", "~", "ä"])
    #expect(failure { _ = try FileSystem.list(scratch.file("none")) }?.kind == .missing)
    #expect(failure { _ = try FileSystem.list(scratch.file("a")) }?.kind == .notDirectory)
  }

  @Test func makesFolders() throws {
    let scratch = try Scratch()
    try FileSystem.createDirectory(scratch.file("a/b//c/"))
    try FileSystem.createDirectory(scratch.file("a/b/c"))
    #expect(try FileSystem.status(of: scratch.file("a/b/c"))?.kind == .directory)
    try FileSystem.write([], to: scratch.file("x"))
    #expect(failure { try FileSystem.createDirectory(scratch.file("x")) }?.kind == .exists)
    #expect(failure { try FileSystem.createDirectory(scratch.file("x/y")) }?.kind == .notDirectory)
  }

  @Test func renamesAndRemoves() throws {
    let scratch = try Scratch()
    try FileSystem.write([1], to: scratch.file("x"))
    try FileSystem.write([2], to: scratch.file("y"))
    try FileSystem.rename(scratch.file("x"), to: scratch.file("y"))
    #expect(try FileSystem.list(scratch.path) == ["y"])
    #expect(try FileSystem.read(scratch.file("y"), limit: 1) == [1])
    let error = try #require(failure { try FileSystem.rename(scratch.file("x"), to: scratch.file("z")) })
    #expect(error.description.hasSuffix("No such file or directory (to '\(scratch.file("z"))')"))
    try FileSystem.remove(scratch.file("y"))
    #expect(failure { try FileSystem.remove(scratch.file("y")) }?.kind == .missing)
  }

  @Test func removesTreesButNotWhatLinksLeadTo() throws {
    let scratch = try Scratch()
    try FileSystem.createDirectory(scratch.file("tree/a/b"))
    try FileSystem.write([1], to: scratch.file("tree/a/x"))
    try FileSystem.write([1], to: scratch.file("kept"))
    symlink(scratch.path, scratch.file("tree/link"))
    try FileSystem.removeTree(scratch.file("tree"))
    try FileSystem.removeTree(scratch.file("tree"))
    #expect(try FileSystem.list(scratch.path) == ["kept"])
    try FileSystem.removeTree(scratch.file("kept"))
    #expect(try FileSystem.list(scratch.path) == [])
  }

  @Test func readsWithinTheLimit() throws {
    let scratch = try Scratch()
    try FileSystem.write([1, 2, 3], to: scratch.file("x"))
    #expect(try FileSystem.read(scratch.file("x"), limit: 3) == [1, 2, 3])
    let error = try #require(failure { _ = try FileSystem.read(scratch.file("x"), limit: 2) })
    #expect(error.kind == .tooLarge)
    #expect(error.description.hasSuffix("File too large (3 bytes, the limit is 2)"))
    // Says that it is empty and is not.
    #expect(try !FileSystem.read("/proc/self/status", limit: 100_000).isEmpty)
    #expect(failure { _ = try FileSystem.read("/proc/self/status", limit: 10) }?.kind == .tooLarge)
    #expect(failure { _ = try FileSystem.read(scratch.path, limit: 2) }?.kind == .isDirectory)
    #expect(failure { _ = try FileSystem.read("/dev/zero", limit: 2) }?.kind == .other)
  }

  /// Whatever call fails, the path holds the old bytes or the new, and nothing lies beside it.
  @Test(arguments: [ENOSPC, EIO, EDQUOT])
  func atomicWritesAreWhole(_ code: Int32) throws {
    let scratch = try Scratch()
    let path = scratch.file("x")
    let old = [UInt8](repeating: 1, count: 100)
    let new = [UInt8](repeating: 2, count: 200)
    let counting = FaultPlan(first: .max, effect: .fail(code))
    try FaultPlan.$current.withValue(counting) { try FileSystem.write(old, to: path) }
    #expect(counting.callsSeen >= 7)
    for first in 1...counting.callsSeen {
      try FileSystem.write(old, to: path)
      let plan = FaultPlan(first: first, effect: .fail(code))
      let error = FaultPlan.$current.withValue(plan) { failure { try FileSystem.write(new, to: path) } }
      let held = try FileSystem.read(path, limit: 1_000)
      #expect(held == old || held == new)
      #expect(try FileSystem.list(scratch.path) == ["x"])
      // Only closing the folder's descriptor may fail unseen: nothing depends on it.
      #expect(error != nil || first == counting.callsSeen)
      if let error { #expect(error.code == code) }
    }
  }

  @Test func publishesWhatWasWrittenBeside() throws {
    let scratch = try Scratch()
    let path = scratch.file("x.h5")
    let partial = FileSystem.partialPath(for: path)
    #expect(FileSystem.directory(of: partial) == scratch.path)
    try FileSystem.write([1, 2], to: partial, atomically: false)
    #expect(try FileSystem.glob(scratch.file("*")) == [])
    try FileSystem.publish(partial, as: path)
    #expect(try FileSystem.list(scratch.path) == ["x.h5"])
  }

  @Test(arguments: [
    ("a/b/c", "a/b", "c"), ("a/b/c//", "a/b", "c"), ("a//b", "a", "b"), ("c", ".", "c"), ("/c", "/", "c"),
    ("/", "/", "/"), ("//", "/", "/"), ("", ".", ""), ("ä/ö", "ä", "ö"),
  ])
  func partsOfPaths(_ path: String, _ directory: String, _ name: String) {
    #expect(FileSystem.directory(of: path) == directory)
    #expect(FileSystem.name(of: path) == name)
  }

  @Test func joinedAndAbsolute() throws {
    #expect(FileSystem.join("a", "b") == "a/b" && FileSystem.join("a/", "b") == "a/b")
    #expect(FileSystem.join("", "b") == "b" && FileSystem.join("a", "/b") == "/b")
    #expect(try FileSystem.absolute("/a/./b//c/../d/") == "/a/b/c/../d")
    #expect(try FileSystem.absolute("x/./y") == FileManager.default.currentDirectoryPath + "/x/y")
    #expect(try FileSystem.absolute("/") == "/")
  }

  @Test func availableBytesAlsoOfWhatIsNotThereYet() throws {
    let scratch = try Scratch()
    #expect(try FileSystem.availableBytes(at: scratch.path) > 0)
    #expect(try FileSystem.availableBytes(at: scratch.file("not/yet")) > 0)
  }
}
