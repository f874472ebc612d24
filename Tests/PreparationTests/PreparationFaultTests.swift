import Files
import Foundation
import Testing

@testable import Preparation

/// Row B18 of the faults, and what a request can get wrong, through the whole preparation.
struct PreparationFaultTests {
  private func error(
    _ bytes: [UInt8], target: String = "t", change: (inout PreparationRequest) -> Void = { _ in }
  ) throws -> PreparationError? {
    let directory = try TemporaryDirectory()
    let input = try directory.file("in.csv", bytes)
    var request = PreparationRequest(inputs: [input], target: target, output: directory.join("out"))
    change(&request)
    do {
      _ = try Preparer(request).run()
      return nil
    } catch {
      // Nothing incomplete stays, and nothing looks like a data set.
      #expect(try FileSystem.list(directory.path) == ["in.csv"])
      #expect(error.place == nil || error.place?.path == input)
      return error
    }
  }

  private func check(_ error: PreparationError?, _ line: Int, _ column: Int, _ message: String) {
    #expect(error?.kind == .invalid)
    #expect(error?.kind.exitCode == 65)
    #expect(error?.place.map { [$0.line, $0.column] } == [line, column])
    #expect(error?.message == message)
  }

  @Test(
    arguments: [
      ("", 1, 1, "the file is empty: not even a header"),
      ("a,t\n", 1, 1, "there is no row below the header"),
      ("a,t\n1,2\n3\n", 3, 2, "this record has 1 field, the header has 2"),
      ("a,t\n1,2\n3,4,5\n", 3, 5, "this record has 3 fields, the header has 2"),
      ("a,t\n1,2\n\"3,4\n5,6\n", 3, 1, "the quote that opens here is never closed"),
      ("a,t\n1,2\n3.x,4\n", 3, 1, "column 'a': '3.x' is not a number"),
      ("a,t\n1,2\n3,\n", 3, 3, "column 't' has no value here"),
      ("a,t\n1,2\n,4\n", 3, 1, "column 'a' has no value here"),
      ("a,t\n1,2\nNA,4\n", 3, 1, "column 'a' has no value here, but 'NA'"),
      ("a,t\n1,1e99\n", 2, 3, "column 't': '1e99' is too large for a 32-bit number"),
      ("a,t,a\n1,2,3\n", 1, 5, "column 'a' is there twice; the first is in line 1, column 1"),
      ("a,u\n1,2\n", 1, 1, "there is no target 't'"),
      ("t\n1\n", 1, 1, "there is no column beside the target 't'"),
      ("a,t\n1,\"2\"3\n", 2, 6, "text after a closing quote; the quote was opened in line 2, column 3"),
    ])
  func namesLineAndColumn(text: String, line: Int, column: Int, message: String) throws {
    check(try error(Array(text.utf8)), line, column, message)
  }

  @Test func namesLineAndColumnOfBadUTF8() throws {
    let latin: [UInt8] = [0xe9]
    check(try error(Array("a,é".utf8) + latin + Array(",t\n1,2,3\n".utf8)), 1, 4, "the header is not UTF-8")
    check(try error(Array("a,t\n1,x\n2,é".utf8) + latin + Array("\n".utf8)), 3, 4, "column 't' is not UTF-8")
    check(try error(Array("a,t\n1,x\n2".utf8) + latin + Array(",y\n".utf8)), 3, 2, "column 'a' is not UTF-8")
  }

  @Test func suggestsTheTarget() throws {
    #expect(try error(Array("a,species\n1,2\n".utf8), target: "specie")?.hint == "did you mean 'species'?")
  }

  @Test func takesTextForAMistakeInARegression() throws {
    let error = try error(Array("a,t\n1,2\n3,x\n".utf8)) { $0.task = .regression }
    check(error, 3, 3, "column 't': 'x' is not a number")
  }

  @Test func wantsOneTableFromManyFiles() throws {
    let directory = try TemporaryDirectory()
    func error(_ second: String) throws -> PreparationError? {
      let inputs = [try directory.file("1.csv", "a,b,t\n1,2,3\n"), try directory.file("2.csv", second)]
      do {
        _ = try Preparer(PreparationRequest(inputs: inputs, target: "t", output: directory.join("out"))).run()
        return nil
      } catch {
        return error
      }
    }
    #expect(try error("a,b,t,c\n1,2,3,4\n")?.place?.column == 7)
    #expect(try error("a,t\n1,2\n")?.message == "there is no column 'b'")
    #expect(try error("t;b;a\n6;5;4\n") == nil)
  }

  @Test func refusesRequestsThatMakeNoSense() throws {
    let bytes = Array("a,t\n1,2\n3,4\n5,6\n".utf8)
    #expect(try error(bytes) { $0.fractions = SplitFractions(validation: 0.5, test: 0.5) }?.kind == .usage)
    #expect(try error(bytes) { $0.fractions = SplitFractions(validation: -1, test: 0.5) }?.kind == .usage)
    #expect(try error(bytes) { $0.shards = 0 }?.kind == .usage)
    #expect(try error(bytes) { $0.shards = 100 }?.kind == .usage)
    #expect(try error(bytes) { $0.inputs = [] }?.kind == .usage)
    #expect(try error(bytes) { $0.delimiter = UInt8(ascii: "\"") }?.kind == .usage)
    #expect(try error(bytes) { $0.output = "/" }?.kind == .usage)
    #expect(try error(bytes) { $0.output = "" }?.kind == .usage)
  }

  @Test func saysWhichInputIsMissing() throws {
    let directory = try TemporaryDirectory()
    let present = try directory.file("in.csv", "a,t\n1,2\n")
    func kind(_ input: String) -> PreparationError.Kind? {
      do {
        _ = try Preparer(
          PreparationRequest(inputs: [present, input], target: "t", output: directory.join("out"))
        ).run()
        return nil
      } catch {
        #expect(error.message.contains(input))
        return error.kind
      }
    }
    #expect(kind(directory.join("no.csv")) == .missing)
    #expect(kind(directory.path) == .missing)
    #expect(kind("/dev/null") == .missing)
  }

  @Test func refusesAnOutputThatExists() throws {
    let directory = try TemporaryDirectory()
    let input = try directory.file("in.csv", "a,t\n1,2\n3,4\n5,6\n7,8\n9,10\n")
    let output = directory.join("out")
    var request = PreparationRequest(inputs: [input], target: "t", output: output)
    _ = try Preparer(request).run()
    let first = try FileSystem.read(FileSystem.join(output, "dataset.json"), limit: 1 << 20)
    func kind() -> PreparationError.Kind? {
      do {
        _ = try Preparer(request).run()
        return nil
      } catch {
        return error.kind
      }
    }
    #expect(kind() == .exists)
    request.overwrite = true
    request.seed = 2
    request.fractions.test = 0
    #expect(kind() == nil)
    #expect(try FileSystem.list(output) == ["dataset.json", "train-00000-of-00001.h5"])
    #expect(try FileSystem.list(directory.path) == ["in.csv", "out"])
    #expect(try FileSystem.read(FileSystem.join(output, "dataset.json"), limit: 1 << 20) != first)
    // A failure leaves what was there.
    request.target = "u"
    #expect(kind() == .invalid)
    #expect(try FileSystem.list(output) == ["dataset.json", "train-00000-of-00001.h5"])
    request.target = "t"
    // Anything that is no data set is never replaced.
    try FileSystem.write([1], to: FileSystem.join(output, "thesis.tex"))
    #expect(kind() == .exists)
    #expect(try FileSystem.status(of: FileSystem.join(output, "thesis.tex")) != nil)
    request.output = input
    #expect(kind() == .exists)
    // An empty directory is as good as none.
    request.output = directory.join("empty")
    try FileSystem.createDirectory(request.output)
    #expect(kind() == nil)
  }

  @Test func goesOnWhereAKilledRunLeftOff() throws {
    let directory = try TemporaryDirectory()
    let input = try directory.file("in.csv", "a,t\n1,2\n3,4\n5,6\n")
    let rest = directory.join(".out.incomplete")
    try FileSystem.createDirectory(rest)
    try FileSystem.write([1, 2, 3], to: FileSystem.join(rest, "train-00000-of-00009.h5"))
    _ = try Preparer(PreparationRequest(inputs: [input], target: "t", output: directory.join("out"))).run()
    #expect(try FileSystem.list(directory.path) == ["in.csv", "out"])
    #expect(try FileSystem.list(directory.join("out")).count == 3)
  }

  @Test func refusesAnOutputThatIsBeingWritten() throws {
    let directory = try TemporaryDirectory()
    let input = try directory.file("in.csv", "a,t\n1,2\n3,4\n5,6\n")
    let rest = directory.join(".out.incomplete")
    try FileSystem.createDirectory(rest)
    let lock = try FileLock(FileSystem.join(rest, ".preparing"))
    #expect {
      _ = try Preparer(PreparationRequest(inputs: [input], target: "t", output: directory.join("out"))).run()
    } throws: {
      ($0 as? PreparationError)?.kind == .exists
    }
    withExtendedLifetime(lock) {}
  }

  @Test func noInputTrapsOrLeavesAnythingBehind() throws {
    var generator = SplitMix(state: 65)
    let pieces = [
      "a", "t", ",", ",", "\n", "\n", "\"", "1", "2.5", "-", "e9", "NA", "é", "\u{feff}", "\r", ";", "1e400",
    ]
    var outcomes: Set<Bool> = []
    for _ in 0..<100 {
      var text = Bool.random(using: &generator) ? "a,t\n1,2\n" : ""
      for _ in 0..<Int.random(in: 0...12, using: &generator) { text += pieces.randomElement(using: &generator) ?? "" }
      var bytes = Array(text.utf8)
      if !bytes.isEmpty, Int.random(in: 0..<8, using: &generator) == 0 {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = 0xe9
      }
      let found = try error(bytes) { $0.missing = Bool.random(using: &generator) ? .drop : .error }
      #expect(found == nil || found?.kind == .invalid, "\(bytes)")
      outcomes.insert(found == nil)
    }
    #expect(outcomes == [true, false])
  }
}
