import Kernels
import Testing

@testable import Preparation

struct CSVRowsTests {
  /// All rows of a table as the model gets them, read `count` at a time.
  private func read(
    _ text: String, columns: [String], target: String? = nil, classes: [String]? = nil, count: Int = 3,
    blockBytes: Int = 1 << 20
  ) throws(PreparationError) -> (features: [[Float]], targets: [Float]) {
    var rows = try CSVRows(
      source: .bytes(Array(text.utf8)), path: "t.csv", columns: columns, target: target, classes: classes,
      delimiter: UInt8(ascii: ","), blockBytes: blockBytes)
    var features = FloatBuffer(count: count * columns.count)
    var targets = FloatBuffer(count: count)
    var result: (features: [[Float]], targets: [Float]) = ([], [])
    while true {
      let read = try rows.next(count, features: &features, targets: &targets)
      for row in 0..<read {
        result.features.append(features.values(in: row * columns.count..<(row + 1) * columns.count))
        if target != nil { result.targets.append(targets[row]) }
      }
      if read < count { break }
    }
    #expect(rows.rows == result.features.count)
    #expect(try rows.next(count, features: &features, targets: &targets) == 0)
    return result
  }

  private let text = "id,b,class,a\nr1,1,red,2\nr2,3.5,green,-4\n\nr3,1e3,red,.5\nr4,7,blue,8\n"

  @Test(arguments: [1, 2, 3, 4, 5], [1, 9, 1 << 20])
  func findsColumnsInAnyOrderAndLeavesOthersAlone(count: Int, blockBytes: Int) throws {
    let all = try read(
      text, columns: ["a", "b"], target: "class", classes: ["blue", "green", "red"], count: count,
      blockBytes: blockBytes)
    #expect(all.features == [[2, 1], [-4, 3.5], [0.5, 1000], [8, 7]])
    #expect(all.targets == [2, 1, 2, 0])
  }

  @Test func needsNoTargetToPredict() throws {
    let all = try read("b,a\n1,2\n", columns: ["a", "b"])
    #expect(all.features == [[2, 1]])
    #expect(try read("a,b\n", columns: ["a", "b"]).features == [])
  }

  @Test func readsANumberForTheTarget() throws {
    #expect(try read("a,t\n1,2.5\n3,-1\n", columns: ["a"], target: "t").targets == [2.5, -1])
  }

  @Test(
    arguments: [
      ("a,b\n1,2\n3,x\n", "t.csv:3:3: column 'b': 'x' is not a number"),
      ("a,b\n1,2\n3,\n", "t.csv:3:3: column 'b' has no value here"),
      ("a,b\n1,2\nNaN,4\n", "t.csv:3:1: column 'a' has no value here, but 'NaN'"),
      ("a,c\n1,2\n", "t.csv:1:1: there is no column 'b'"),
      ("a,b\n1,1e39\n", "t.csv:2:3: column 'b': '1e39' is too large for a 32-bit number"),
      ("a,b\n1,inf\n", "t.csv:2:3: column 'b': 'inf' is not a number"),
    ])
  func namesThePlaceOfABadValue(text: String, message: String) {
    #expect {
      try read(text, columns: ["a", "b"])
    } throws: {
      "\($0)" == message
    }
  }

  @Test func refusesAClassThatIsNotKnown() {
    #expect {
      try read(text, columns: ["a"], target: "class", classes: ["red", "green"])
    } throws: { error in
      "\(error)" == "t.csv:6:6: column 'class': 'blue' is none of the classes"
        && (error as? PreparationError)?.hint == "they are 'red', 'green'"
    }
  }

  @Test func saysWhatANumberMostLikelyMeans() {
    func hint(_ value: String) -> String? {
      do {
        _ = try read("a,b\n1,\"\(value)\"\n", columns: ["a", "b"])
        return nil
      } catch {
        return error.hint
      }
    }
    #expect(hint("1,5") == "write a point, not a comma, before the decimals")
    #expect(hint("1,234,567.5") == "write numbers without separators")
    #expect(hint("Infinity") == "values must be finite")
    #expect(hint("blue") == "features must be numbers")
  }

  @Test func suggestsTheNearestColumn() {
    func hint(_ text: String) -> String? {
      do {
        _ = try read(text, columns: ["bill_length"])
        return nil
      } catch {
        return error.hint
      }
    }
    #expect(hint("bill_lenght,x\n1,2\n") == "did you mean 'bill_lenght'?")
    #expect(hint("5.1,3\n1,2\n") == "the first line holds numbers; it must name the columns")
    #expect(hint("p,q\n1,2\n") == "the columns are 'p', 'q'")
  }
}
