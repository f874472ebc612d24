import Files
import Foundation
import Testing

@Suite struct GlobTests {
  private func tree() throws -> Scratch {
    let scratch = try Scratch()
    for name in ["a/x-0.h5", "a/x-1.h5", "a/x-10.h5", "b/x-0.h5", "b/.x.h5", "b/y.csv", "c[1]/z.h5", "top.h5"] {
      try FileSystem.createDirectory(FileSystem.directory(of: scratch.file(name)))
      try FileSystem.write([], to: scratch.file(name), atomically: false)
    }
    symlink("/nowhere/at/all", scratch.file("a/x-9.h5"))
    return scratch
  }

  @Test(arguments: [
    ("*/*.h5", ["a/x-0.h5", "a/x-1.h5", "a/x-10.h5", "b/x-0.h5", "c[1]/z.h5"]),
    ("a/x-?.h5", ["a/x-0.h5", "a/x-1.h5"]), ("a/x-[1-9]*.h5", ["a/x-1.h5", "a/x-10.h5"]),
    ("[!b]/x-0.h5", ["a/x-0.h5"]), ("[^b]/x-0.h5", ["a/x-0.h5"]), ("b/.*", ["b/.x.h5"]),
    ("b/*", ["b/x-0.h5", "b/y.csv"]),
    ("*", ["a", "b", "c[1]", "top.h5"]), ("*/", ["a", "b", "c[1]"]), ("top.h5", ["top.h5"]), ("none*", []),
    ("none/*.h5", []), ("top.h5/*", []), ("c\\[1\\]/*", ["c[1]/z.h5"]), ("c[[]1]/*", ["c[1]/z.h5"]),
    ("[", []), ("a*/x*0*", ["a/x-0.h5", "a/x-10.h5"]),
  ])
  func matches(_ pattern: String, _ found: [String]) throws {
    let scratch = try tree()
    #expect(try FileSystem.glob(scratch.file(pattern)) == found.map { scratch.file($0) })
  }

  @Test func patternsAreRecognised() {
    #expect(FileSystem.isPattern("a*") && FileSystem.isPattern("a?") && FileSystem.isPattern("[a]"))
    #expect(!FileSystem.isPattern("a/b.h5"))
    #expect((try? FileSystem.glob("")) == [])
  }

  @Test func starsDoNotExplode() throws {
    let scratch = try Scratch()
    try FileSystem.write([], to: scratch.file(String(repeating: "a", count: 200)), atomically: false)
    let pattern = String(repeating: "a*", count: 100) + "b"
    #expect(try FileSystem.glob(scratch.file(pattern)) == [])
  }
}
