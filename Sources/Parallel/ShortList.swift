/// A few elements, of which most often there is one: a step of the usual kind makes such lists without asking for memory.
struct ShortList<Element>: RandomAccessCollection {
  private let only: Element?
  private let several: [Element]

  /// One element.
  init(_ element: Element) { (only, several) = (element, []) }

  init(_ elements: [Element]) {
    (only, several) = elements.count == 1 ? (elements[0], []) : (nil, elements)
  }

  var startIndex: Int { 0 }
  var endIndex: Int { only == nil ? several.count : 1 }

  subscript(index: Int) -> Element {
    guard let only else { return several[index] }
    precondition(index == 0, "element \(index) of 1")
    return only
  }
}

extension ShortList: Sendable where Element: Sendable {}
