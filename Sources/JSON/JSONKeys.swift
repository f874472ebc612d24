/// The keys of one object so far, to find one that comes twice.
///
/// Keys are compared byte by byte: `String`'s own equality takes a canonical form first, which hostile input can make
/// slow, and RFC 8259 (section 8.3) compares code units.
struct JSONKeys {
  private struct Key: Hashable {
    let text: String

    static func == (a: Key, b: Key) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
      for byte in text.utf8 { hasher.combine(byte) }
    }
  }

  /// Up to this many keys a walk over all of them is cheaper than a table.
  private static let fewKeys = 8

  private var few: [String] = []
  private var many: [Key: Int] = [:]

  /// Notes the key of member `position`; returns the position of an earlier member with the same key.
  mutating func insert(_ key: String, at position: Int) -> Int? {
    if position < Self.fewKeys {
      if let earlier = few.firstIndex(where: { $0.utf8.elementsEqual(key.utf8) }) { return earlier }
      few.append(key)
      return nil
    }
    if many.isEmpty {
      for (index, text) in few.enumerated() { many[Key(text: text)] = index }
    }
    if let earlier = many[Key(text: key)] { return earlier }
    many[Key(text: key)] = position
    return nil
  }
}
