/// Numbers the rows of a source so that no two rows of a stream have the same: by the name of the source and the row's place in it.
///
/// A row has its number on any number of ranks and after any restart. Two sources begin far apart: that their numbers meet has odds of
/// their rows to 2⁶¹.
struct RowNumbers: Sendable {
  /// Above the numbers of all rows.
  static let end = 1 << 62

  private let first: Int

  init(source: String) { first = Int(Self.hash(of: source) >> 2) }

  /// The number of the row at place `row` in the source, from 0 on.
  func number(ofRow row: Int) -> Int { (first &+ row) & (Self.end - 1) }

  /// A number that only depends on the bytes of a name.
  ///
  /// Source: FNV-1a, 64 bits; G. Fowler, L. C. Noll, K.-P. Vo.
  static func hash(of name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
