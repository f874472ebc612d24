/// The classes of a stream by number and name, and how others come among them.
///
/// A new name has the number behind the last one. A new number makes all that are missing before it classes too, named by their
/// numbers; and where all classes are named by their numbers, so does a name that is one: then texts and HDF5 files mean the same.
struct StreamClasses: Equatable, Sendable {
  private(set) var names: [String] = []
  /// How many there may be.
  let most: Int
  private var numbers: [String: Int] = [:]
  /// Whether each class is named by its number.
  private var isNumbered = true

  /// - Parameter names: different ones; they may be more than `most` already.
  init(_ names: [String], most: Int) {
    self.most = most
    for name in names { append(name) }
  }

  var count: Int { names.count }

  private mutating func append(_ name: String) {
    isNumbered = isNumbered && name == String(count)
    numbers[name] = count
    names.append(name)
  }

  /// The number of the class that `label` means; nil where there is none yet.
  func number(of label: ClassLabel) -> Int? {
    switch label {
    case .name(let name): numbers[name]
    case .number(let number): (0..<count).contains(number) ? number : nil
    }
  }

  /// Whether the class that `label` means is there, or may be added.
  func mayHave(_ label: ClassLabel) -> Bool { number(of: label) != nil || additions(label) != nil }

  /// Adds the class that `label` means, where it may be added and is not there yet.
  mutating func add(_ label: ClassLabel) {
    guard number(of: label) == nil else { return }
    for name in additions(label) ?? [] { append(name) }
  }

  /// The names that a label brings with it; nil where there may be no such class.
  private func additions(_ label: ClassLabel) -> [String]? {
    switch label {
    case .name(let name):
      if isNumbered, let number = Int(name), number >= count, String(number) == name {
        return additions(.number(number))
      }
      return count < most ? [name] : nil
    case .number(let number):
      guard number >= count, number < most else { return nil }
      let more = (count...number).map(String.init)
      return more.contains { numbers[$0] != nil } ? nil : more
    }
  }
}
