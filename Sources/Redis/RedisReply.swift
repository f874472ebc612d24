/// What a server answers: its parts one behind the other, the elements of an array behind the array.
///
/// Parts are named by their index; 0 is the whole. Whatever a server says, asking for what is not there gives nil.
public struct RedisReply: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case text
    case array
    case integer
    case nothing
    /// A short text that says that something was done.
    case status
    /// Why something was not.
    case error
  }

  public struct Part: Equatable, Sendable {
    public let kind: Kind
    /// Where a text begins in `bytes`; the number itself of an integer.
    public let value: Int
    /// Bytes of a text, elements of an array.
    public let count: Int

    public init(_ kind: Kind, value: Int = 0, count: Int = 0) {
      self.kind = kind
      self.value = value
      self.count = count
    }
  }

  public let parts: [Part]
  /// All texts.
  public let bytes: [UInt8]

  public init(parts: [Part], bytes: [UInt8]) {
    self.parts = parts
    self.bytes = bytes
  }

  public func kind(_ index: Int) -> Kind? { parts.indices.contains(index) ? parts[index].kind : nil }

  public func integer(_ index: Int) -> Int? { kind(index) == .integer ? parts[index].value : nil }

  /// The elements of an array.
  public func count(_ index: Int) -> Int? { kind(index) == .array ? parts[index].count : nil }

  /// Where a text lies in `bytes`.
  public func range(_ index: Int) -> Range<Int>? {
    guard let kind = kind(index), kind == .text || kind == .status || kind == .error else { return nil }
    return parts[index].value..<parts[index].value + parts[index].count
  }

  public func text(_ index: Int) -> String? { range(index).map { String(decoding: bytes[$0], as: UTF8.self) } }

  /// The first part behind part `index` and all that it holds.
  public func end(of index: Int) -> Int {
    var (place, left) = (index, 1)
    while left > 0, place < parts.count {
      left += (parts[place].kind == .array ? parts[place].count : 0) - 1
      place += 1
    }
    return place
  }

  /// The value of a member of an array of names and values.
  public func member(_ name: String, of index: Int = 0) -> Int? {
    guard let count = count(index) else { return nil }
    var place = index + 1
    for _ in 0..<count / 2 {
      if text(place) == name { return place + 1 }
      place = end(of: place + 1)
    }
    return nil
  }
}
