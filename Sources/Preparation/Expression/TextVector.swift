/// The texts of all rows of a block: codes of a dictionary where the possible texts are known, else the texts themselves.
enum TextVector: Sendable {
  case coded([Int32], [String])
  case plain([String?])

  private var count: Int {
    switch self {
    case .coded(let codes, _): codes.count
    case .plain(let texts): texts.count
    }
  }

  /// The text of a row; nil where it is missing, and where all that is known of it is that the dictionary lacks it.
  func text(_ row: Int) -> String? {
    switch self {
    case .coded(let codes, let dictionary): codes[row] >= 0 ? dictionary[Int(codes[row])] : nil
    case .plain(let texts): texts[row]
    }
  }

  private func isUnknown(_ row: Int) -> Bool {
    if case .coded(let codes, _) = self { codes[row] == Column.unknownCode } else { false }
  }

  var areMissing: [Bool] {
    switch self {
    case .coded(let codes, _): codes.map { $0 == Column.missingCode }
    case .plain(let texts): texts.map { $0 == nil }
    }
  }

  /// The codes of the texts in another dictionary, which has all of them.
  func codes(in wanted: [String]) -> [Int32] {
    let places = Dictionary(
      wanted.enumerated().map { ($0.element, Int32($0.offset)) }, uniquingKeysWith: { first, _ in first })
    switch self {
    case .coded(let codes, let dictionary):
      let table = dictionary.map { places[$0] ?? Column.unknownCode }
      return codes.map { $0 >= 0 ? table[Int($0)] : $0 }
    case .plain(let texts):
      return texts.map { text in text.map { places[$0] ?? Column.unknownCode } ?? Column.missingCode }
    }
  }

  /// Compares row by row: 1 true, 0 false, NaN where a side is missing.
  ///
  /// A category that the dictionary lacks is unequal to every text; whether it is less than one is not known.
  func compared(_ binary: Expression.Binary, with other: TextVector) -> [Double] {
    if case .coded(let a, let first) = self, case .coded(let b, let second) = other,
      first.count.multipliedReportingOverflow(by: second.count).partialValue <= 4_096
    {
      // Few pairs, so each is decided once.
      let table = first.map { left in second.map { right in Self.decide(binary, left, right) ? 1.0 : 0.0 } }
      return a.indices.map { row in
        a[row] >= 0 && b[row] >= 0
          ? table[Int(a[row])][Int(b[row])]
          : Self.decide(
            binary, isMissing: a[row] == Column.missingCode || b[row] == Column.missingCode)
      }
    }
    return (0..<count).map { row in
      guard let left = text(row), let right = other.text(row) else {
        let isKnown = (text(row) != nil || isUnknown(row)) && (other.text(row) != nil || other.isUnknown(row))
        return Self.decide(binary, isMissing: !isKnown)
      }
      return Self.decide(binary, left, right) ? 1 : 0
    }
  }

  /// Where a side is missing or unknown.
  private static func decide(_ binary: Expression.Binary, isMissing: Bool) -> Double {
    guard !isMissing else { return .nan }
    switch binary {
    case .equal: return 0
    case .unequal: return 1
    default: return .nan
    }
  }

  /// In the order of the UTF-8 bytes, as dictionaries are.
  private static func decide(_ binary: Expression.Binary, _ a: String, _ b: String) -> Bool {
    func isLess(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
    switch binary {
    case .equal: return a.utf8.elementsEqual(b.utf8)
    case .unequal: return !a.utf8.elementsEqual(b.utf8)
    case .less: return isLess(a, b)
    case .lessOrEqual: return !isLess(b, a)
    case .greater: return isLess(b, a)
    case .greaterOrEqual: return !isLess(a, b)
    case .or, .and, .plus, .minus, .times, .divided, .remainder, .power:
      preconditionFailure("'\(binary.rawValue)' is no comparison")
    }
  }

  /// The texts of `first` where the condition is true, of `second` where it is false, none where it is missing.
  static func choose(_ condition: [Double], _ first: TextVector, _ second: TextVector) -> TextVector {
    guard case .coded(_, let dictionary) = first, case .coded(_, let others) = second else {
      return .plain(
        condition.indices.map { row in
          condition[row].isNaN ? nil : (condition[row] == 1 ? first.text(row) : second.text(row))
        })
    }
    let known = Set(dictionary)
    let union = dictionary + others.filter { !known.contains($0) }
    let (a, b) = (first.codes(in: union), second.codes(in: union))
    return .coded(
      condition.indices.map { row in
        condition[row].isNaN ? Column.missingCode : (condition[row] == 1 ? a[row] : b[row])
      }, union)
  }
}
