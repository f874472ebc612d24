import JSON

extension JobKey {
  /// The keys as the Markdown table of the README.
  public static var reference: String {
    let head = ["| key | value | default | meaning |", "|---|---|---|---|"]
    let rows = all.map { key in
      let fallback = key.fallback.map { $0 == .null ? "" : "`\($0.serialized(pretty: false))`" } ?? "*needed*"
      let expectation = key.expectation.replacing("|", with: "\\|")
      return "| `\(key.path)` | \(expectation) | \(fallback) | \(key.summary) |"
    }
    return (head + rows).joined(separator: "\n") + "\n"
  }
}
