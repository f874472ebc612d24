import Text
import Watch

/// A rank that the others wait for.
struct Straggler: Equatable, CustomStringConvertible {
  let rank: Int
  let host: String
  /// Its time for its rows, against the median of the ranks that do the same work.
  let ratio: Double
  /// What takes it longer: reading, or the step.
  let phase: Phase
  /// It was none in the comparison before.
  let isNew: Bool

  var description: String {
    "rank \(rank) on \(host) is slow: it takes \(fixed(ratio, decimals: 1)) times as long for its rows as the median rank, most of it "
      + (phase == .reading ? "in reading" : "in computing")
  }

  /// What a rank has spent since the comparison before.
  struct Times: Equatable {
    /// Ranks with the same number do the same work, each on its own rows.
    var group = 0
    /// Its share of the rows: the virtual ranks that it runs.
    var share = 0
    var reading = 0.0
    var computing = 0.0
    var elapsed = 0.0

    /// Seconds a share.
    var pace: Double { (reading + computing) / Double(max(share, 1)) }
  }

  /// As many times the median are slow.
  static let slow = 1.5
  /// What the others wait has to be worth a word: this part of the time.
  static let least = 0.1

  /// The ranks among `times` that are slow, with their ratio and phase.
  static func find(in times: [Times]) -> [(rank: Int, ratio: Double, phase: Phase)] {
    times.indices.compactMap { rank in
      let own = times[rank]
      let peers = times.filter { $0.group == own.group && $0.share > 0 }
      guard own.share > 0, peers.count > 1 else { return nil }
      // Of two ranks the faster one is what the slower could be.
      let median = peers.map(\.pace).sorted()[(peers.count - 1) / 2]
      let excess = (own.pace - median) * Double(own.share)
      guard median > 0, own.pace > slow * median, excess > least * own.elapsed else { return nil }
      let reading = peers.map { $0.reading / Double($0.share) }.sorted()[(peers.count - 1) / 2]
      let isReading = own.reading - reading * Double(own.share) > excess / 2
      return (rank, own.pace / median, isReading ? .reading : .step)
    }
  }
}
