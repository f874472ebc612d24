/// The one of `candidates` that someone who wrote `word` most likely meant, or nil if none is near enough.
///
/// Counts letters left out, added, replaced or swapped with their neighbour (the Damerau-Levenshtein distance of
/// adjacent swaps), blind to case and to `-` in place of `_`. Up to one edit in every three letters is taken for a slip.
/// Of several equally near ones the first wins.
public func closest(to word: String, among candidates: [String]) -> String? {
  let wanted = folded(word)
  // Nobody mistypes a name of this length; without a bound the cost would grow with its square.
  guard wanted.count <= 64 else { return nil }
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let letters = folded(candidate)
    let most = min(3, max(1, max(wanted.count, letters.count) / 3))
    guard abs(letters.count - wanted.count) <= most else { continue }
    let distance = edits(from: wanted, to: letters)
    // One letter for another is no slip where the word is that letter.
    guard distance <= most, distance < max(wanted.count, letters.count) else { continue }
    if distance < best?.distance ?? Int.max { best = (candidate, distance) }
  }
  return best?.candidate
}

private func folded(_ text: String) -> [Unicode.Scalar] {
  text.lowercased().unicodeScalars.map { $0 == "-" ? "_" : $0 }
}

/// The edits that turn `a` into `b`, row by row of the table of all prefixes.
private func edits(from a: [Unicode.Scalar], to b: [Unicode.Scalar]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var cost = min(last[j + 1], row[j]) + 1
      cost = min(cost, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
      row.append(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.count]
}
