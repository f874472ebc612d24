/// Reads fields that stand by themselves, one text each, as those of a table are read.
package struct FieldParser: Sendable {
  private let parser = DecimalParser()
  private let missing = MissingValue.standard
  private var classes: ClassIndex?

  /// - Parameter classes: the names of the classes; nil where the target is a number.
  package init(classes: [String]?) { self.classes = classes.map { ClassIndex(names: $0) } }

  /// The classes are these from now on.
  package mutating func know(classes: [String]) { self.classes = ClassIndex(names: classes) }

  /// The name of the class that a text of the target stands for, where `target` knows none; nil where it can stand for none.
  package func newClass(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
    classes == nil ? nil : ClassIndex.newName(bytes, range)
  }

  /// A feature: a number, or NaN where the field says that there is none; nil for other texts.
  package func feature(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Float? {
    parser.float(bytes, range) ?? (missing.matches(bytes, range) ? .nan : nil)
  }

  /// A target: a finite number, or the number of a class; nil where it is neither.
  package func target(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Float? {
    if let classes { return classes.index(of: bytes, range).map { Float($0) } }
    guard let number = parser.float(bytes, range), number.isFinite else { return nil }
    return number
  }

  /// A text for a message: in quotes, on one line, not longer than a line.
  package static func quoted(_ bytes: some Sequence<UInt8>) -> String {
    Preparation.quoted(String(decoding: Array(bytes), as: UTF8.self))
  }

  /// A finite number.
  package func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
    guard let number = parser.double(bytes, range), number.isFinite else { return nil }
    return number
  }
}
