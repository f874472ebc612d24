internal import JSON

/// The mean of the values so far, in the order of operations of River's `Mean`.
struct RunningMean: Equatable, Sendable {
  private(set) var count = 0.0
  private(set) var mean = 0.0

  init() {}

  mutating func add(_ value: Double) {
    count += 1
    mean += 1 / count * (value - mean)
  }

  var json: JSONValue { .bits([count, mean]) }

  init(_ state: StateReader) throws(OnlineError) {
    guard let values = state.node.asString.flatMap(BitText.doubles), values.count == 2 else {
      throw state.error("\"mean\" is no pair of numbers")
    }
    (count, mean) = (values[0], values[1])
  }
}
