import Foundation
import TestSupport
import Testing

/// What `metrics.jsonl` of a run says.
struct TrainingLog {
  /// The line of a step.
  struct Step: Decodable, Equatable {
    let step, epoch, samples: Int
    let loss, learningRate: Double
  }

  /// The line of a validation.
  struct Validation: Decodable, Equatable {
    let step, epoch: Int
    let validationLoss: Double
    let validationAccuracy: Double?
  }

  private(set) var steps: [Step] = []
  private(set) var validations: [Validation] = []

  /// Reads the log of the run in `directory`; every line must be whole.
  init(_ directory: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let text = try String(contentsOfFile: directory + "/metrics.jsonl", encoding: .utf8)
    for line in text.split(separator: "\n") {
      let bytes = Data(line.utf8)
      if line.contains("validation_loss") {
        validations.append(try decoder.decode(Validation.self, from: bytes))
      } else {
        steps.append(try decoder.decode(Step.self, from: bytes))
      }
    }
  }

  /// Expects the same steps and validations, whose losses differ by no more than a part of them.
  func expectCloseness(
    to other: TrainingLog, within tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(steps.map(\.step) == other.steps.map(\.step), sourceLocation: sourceLocation)
    #expect(validations.map(\.step) == other.validations.map(\.step), sourceLocation: sourceLocation)
    let losses = zip(losses, other.losses)
    for (index, (loss, expected)) in losses.enumerated() where !(abs(loss - expected) <= tolerance * abs(expected)) {
      Issue.record("loss \(index) is \(loss), not \(expected)", sourceLocation: sourceLocation)
    }
  }

  private var losses: [Double] { steps.map(\.loss) + validations.map(\.validationLoss) }

  /// The last step in the log of a run that goes on, whose last line may not be whole; 0 where there is none yet.
  static func lastStep(_ directory: String) -> Int {
    guard let bytes = FileManager.default.contents(atPath: directory + "/metrics.jsonl") else { return 0 }
    let lines = String(decoding: bytes.suffix(2_000), as: UTF8.self).split(separator: "\n")
    for line in lines.reversed() {
      guard line.hasPrefix("{\"step\":") else { continue }
      if let comma = line.firstIndex(of: ","), let step = Int(line[line.index(line.startIndex, offsetBy: 8)..<comma]) {
        return step
      }
    }
    return 0
  }
}
