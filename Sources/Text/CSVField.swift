/// The text as a field of a CSV file (RFC 4180): in quotes where it holds what ends a field, or spaces that a reader may drop.
public func csvField(_ text: String) -> String {
  let special: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
  let needsQuotes =
    text.isEmpty || text.utf8.contains { special.contains($0) } || text.utf8.first == 0x20 || text.utf8.last == 0x20
  guard needsQuotes else { return text }
  return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
