extension CSVBlock {
  /// The first byte of a field that is not part of well-formed UTF-8, or nil.
  func firstInvalidByte(in field: CSVField) -> Int? {
    do {
      _ = try UTF8Span(validating: bytes.span.extracting(field.range))
      return nil
    } catch {
      return Int(field.start) + error.byteOffsets.lowerBound
    }
  }
}

extension String {
  /// Without spaces and tabs at its ends.
  var trimmed: String {
    var rest = self[...]
    while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return String(rest)
  }
}

/// A piece of the input for a message: in quotes, on one line, not longer than a line.
func quoted(_ text: String) -> String {
  var shown = ""
  for character in text.unicodeScalars.prefix(40) {
    shown += character.value < 0x20 || character.value == 0x7f ? character.escaped(asASCII: true) : String(character)
  }
  return "'\(shown)\(text.unicodeScalars.count > 40 ? "…" : "")'"
}
