/// Where text stands in a wider field.
public enum Alignment: Sendable {
  case left
  case right
}

/// `text` filled up with spaces to `width` characters; longer text is left as it is.
public func padded(_ text: String, to width: Int, _ alignment: Alignment = .left) -> String {
  let spaces = String(repeating: " ", count: max(0, width - text.count))
  switch alignment {
  case .left: return text + spaces
  case .right: return spaces + text
  }
}
