import JSON

/// What a row calls its class: texts have names, HDF5 files numbers.
enum ClassLabel: Equatable, Sendable {
  case name(String)
  case number(Int)

  var json: JSONValue {
    switch self {
    case .name(let name): .string(name)
    case .number(let number): .integer(number)
    }
  }

  /// - Returns: nil for what `json` does not write.
  init?(_ value: JSONValue) {
    switch value {
    case .string(let name): self = .name(name)
    case .integer(let number): self = .number(number)
    default: return nil
    }
  }
}
