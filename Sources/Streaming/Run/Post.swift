/// What a rank that goes on tells another of what it has learned, besides how its parameters changed.
struct Post: Equatable {
  /// The factor on the change of the parameters.
  var weight: Double
  /// Statistics of the features, and the rows of `rls`: for the model, and for a fresh one beside it, where there is one.
  var evidence: [[Double]]
  var report: RankReport

  init(weight: Double, evidence: [[Double]], report: RankReport) {
    self.weight = weight
    self.evidence = evidence
    self.report = report
  }

  /// As numbers for a message.
  var encoded: [Double] {
    [weight, Double(evidence.count)] + evidence.map { Double($0.count) } + evidence.flatMap { $0 } + report.encoded
  }

  init(encoded numbers: [Double]) {
    precondition(numbers.count >= 2 && numbers.count >= 2 + Int(numbers[1]), "a post of \(numbers.count) numbers")
    weight = numbers[0]
    var place = 2 + Int(numbers[1])
    evidence = numbers[2..<place].map { count in
      defer { place += Int(count) }
      return Array(numbers[place..<place + Int(count)])
    }
    report = RankReport(encoded: Array(numbers[place...]))
  }
}
