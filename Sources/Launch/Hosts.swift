/// The hosts that ranks are started on, each with its slots, as `mpirun --host` takes them: "a:4,b:4".
public struct Hosts: Equatable, Sendable {
  public struct Host: Equatable, Sendable {
    public let name: String
    /// How many ranks it takes.
    public let slots: Int
  }

  public let list: [Host]

  init(list: [Host]) { self.list = list }

  /// Nil where `text` is no such list. A host without a number has one slot.
  public init?(parsing text: String) {
    var list: [Host] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let slots = parts.count == 2 ? Int(parts[1]) ?? 0 : 1
      guard !parts[0].isEmpty, !parts[0].hasPrefix("-"), (1...1_000_000).contains(slots) else { return nil }
      list.append(Host(name: String(parts[0]), slots: slots))
    }
    guard Set(list.map(\.name)).count == list.count else { return nil }
    self.list = list
  }

  public var slots: Int { list.reduce(0) { $0 + $1.slots } }

  /// As `mpirun --host` takes it.
  public var text: String { list.map { "\($0.name):\($0.slots)" }.joined(separator: ",") }

  /// Those whose names are not in `lost`.
  func without(_ lost: Set<String>) -> Hosts { Hosts(list: list.filter { !lost.contains($0.name) }) }

  /// How many of `ranks` ranks are left for `self` where the job was begun on `all`: the share of the slots, a multiple of `multiple`
  /// and at least that.
  func share(of ranks: Int, among all: Hosts, multiple: Int) -> Int {
    let share = ranks * slots / all.slots
    return max(multiple, share / multiple * multiple)
  }
}
