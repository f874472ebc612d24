/// Which part of every layer a rank holds: that of rank `index` of the `count` ranks among which layers are cut.
public struct TensorPlace: Equatable, Sendable {
  public let index: Int
  public let count: Int

  /// The only part: the whole of every layer.
  public static let whole = TensorPlace(index: 0, count: 1)

  public init(index: Int, count: Int) {
    precondition(count > 0 && index >= 0 && index < count, "part \(index) of \(count)")
    self.index = index
    self.count = count
  }

  /// This part of `size` units cut as evenly as can be: ⌊size·t/T⌋ ..< ⌊size·(t+1)/T⌋.
  public func cut(_ size: Int) -> Range<Int> { border(index, size)..<border(index + 1, size) }

  /// The same part for every rank, by its index.
  public func cuts(_ size: Int) -> [Range<Int>] {
    (0..<count).map { border($0, size)..<border($0 + 1, size) }
  }

  private func border(_ part: Int, _ size: Int) -> Int { size / count * part + size % count * part / count }
}
