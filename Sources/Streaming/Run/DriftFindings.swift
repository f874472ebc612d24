import Online

/// What the detectors of drift have found and is to be answered by all ranks alike.
struct DriftFindings: Equatable {
  var events: [DriftResponse.Event] = []
  /// Of the comparison with a fresh model.
  var verdict = SwitchRule.Verdict.undecided

  var isEmpty: Bool { events.isEmpty && verdict == .undecided }

  init() {}

  private static let verdicts: [SwitchRule.Verdict] = [.undecided, .fresh, .old]

  /// As numbers for a message: the verdict, and each event with the columns that it is about.
  var encoded: [Int] {
    [Self.verdicts.firstIndex(of: verdict) ?? 0]
      + events.flatMap { [$0.signal == .drift ? 1 : 0, $0.row, $0.columns.count] + $0.columns }
  }

  init(encoded numbers: [Int]) {
    precondition(!numbers.isEmpty, "findings of no numbers")
    verdict = Self.verdicts[numbers[0]]
    var place = 1
    while place < numbers.count {
      let end = place + 3 + numbers[place + 2]
      events.append(
        DriftResponse.Event(
          signal: numbers[place] == 1 ? .drift : .warning, row: numbers[place + 1],
          columns: Array(numbers[place + 3..<end])))
      place = end
    }
  }
}
