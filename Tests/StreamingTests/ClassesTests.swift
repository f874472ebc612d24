import Kernels
import Testing

@testable import Streaming

/// Classes that come up in a stream, by name and by number.
@Suite struct ClassesTests {
  @Test func namesFollowEachOther() {
    var classes = StreamClasses(["red", "green"], most: 4)
    #expect(classes.number(of: .name("green")) == 1 && classes.number(of: .number(1)) == 1)
    #expect(classes.number(of: .name("blue")) == nil && classes.mayHave(.name("blue")))
    for name in ["blue", "red", "blue", "7"] { classes.add(.name(name)) }
    #expect(classes.names == ["red", "green", "blue", "7"])
    // There are as many as there may be.
    #expect(!classes.mayHave(.name("black")) && classes.mayHave(.name("7")) && !classes.mayHave(.number(4)))
    classes.add(.name("black"))
    classes.add(.number(4))
    #expect(classes.count == 4)
  }

  /// Texts and HDF5 files mean the same classes.
  @Test(arguments: [ClassLabel.number(4), .name("4")]) func numbersAreNumbers(label: ClassLabel) {
    var classes = StreamClasses(["0", "1"], most: 6)
    classes.add(label)
    #expect(classes.names == ["0", "1", "2", "3", "4"])
    #expect(!classes.mayHave(.number(6)) && !classes.mayHave(.number(.max)) && !classes.mayHave(.name("1000000")))
    // A name that is none of the numbers goes behind them, and what follows is no number of its own any more.
    classes.add(.name("-1"))
    #expect(classes.names.last == "-1" && classes.number(of: .name("-1")) == 5)
  }

  /// A number never makes a second class of one name.
  @Test func numbersDoNotNameTwice() {
    var classes = StreamClasses(["2", "1"], most: 100)
    #expect(!classes.mayHave(.number(2)))
    classes.add(.number(2))
    classes.add(.name("5"))
    #expect(classes.names == ["2", "1", "5"])
  }

  /// A row that brought its class is one the model was wrong about, wherever it moves in the batch.
  @Test func newcomersKeepTheirPlaces() {
    var batch = RowBatch(columns: 2, capacity: 4, keepsNumbers: true)
    var newcomer = Newcomer(features: [3, 4], label: .name("blue"), arrived: .now)
    #expect(!newcomer.isSettled)
    newcomer.settle(predicted: 1)
    for place in 0..<3 {
      if place == 1 { batch.take(newcomer, target: 2, number: 70) } else { batch.fillOne(Float(place)) }
    }
    let (targets, features) = (batch.targets.values(in: 0..<3), batch.features.values(in: 2..<4))
    #expect(targets == [0, 2, 2] && features == [3, 4])
    let numbers = batch.numbers
    #expect(numbers == [0, 70, 2])
    var newcomers = batch.newcomers
    #expect(newcomers.map(\.row) == [1] && newcomers.map(\.predicted) == [1])
    batch.removeFirst(1)
    newcomers = batch.newcomers
    #expect(newcomers.map(\.row) == [0])
    batch.removeFirst(1)
    newcomers = batch.newcomers
    #expect(newcomers.isEmpty)
  }
}

extension RowBatch {
  fileprivate mutating func fillOne(_ value: Float) {
    _ = fill { values, place, target, _ in (values[place], target) = (value, value) }
    take(arrived: .now, number: Int(value))
  }
}
