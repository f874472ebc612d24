import Data
import Failures
import MPI

/// The predictions of some rows that follow each other.
struct PredictionBlock: Equatable, Sendable {
  /// `labels` of the schema a row, row-major.
  var labels: [Int32] = []
  /// `width` of the schema a row, row-major.
  var numbers: [Float] = []

  static let empty = PredictionBlock()

  /// Makes a row one without a prediction.
  mutating func clear(_ row: Int, _ schema: PredictionSchema) {
    for index in row * schema.labels..<(row + 1) * schema.labels { labels[index] = -1 }
    for index in row * schema.width..<(row + 1) * schema.width { numbers[index] = .nan }
  }
}

// From the rank that predicted to the one that writes: how many numbers, or what went wrong.
extension PredictionBlock {
  private enum Tag {
    static let header = 1
    static let labels = 2
    static let numbers = 3
    static let failure = 4
  }

  private static let failed = -1

  /// Sends a block, or why there is none, to rank 0.
  static func send(_ result: Result<PredictionBlock, DataError>, _ world: borrowing Communicator) throws(MPIError) {
    switch result {
    case .success(let block):
      let header = [block.labels.count, block.numbers.count]
      try world.send(header.span, to: 0, tag: Tag.header)
      if !block.labels.isEmpty { try world.send(block.labels.span, to: 0, tag: Tag.labels) }
      if !block.numbers.isEmpty { try world.send(block.numbers.span, to: 0, tag: Tag.numbers) }
    case .failure(let error):
      try world.send([failed, failed].span, to: 0, tag: Tag.header)
      try world.send(error.encoded().span, to: 0, tag: Tag.failure)
    }
  }

  /// Waits for what `rank` sends.
  /// - Throws: `DataError` where that rank could not predict its block.
  static func receive(from rank: Int, _ world: borrowing Communicator) throws -> PredictionBlock {
    let header: [Int] = try world.receive(from: rank, tag: Tag.header)
    guard header.count == 2, header[0] != failed else {
      throw try DataError(decoding: try world.receive(from: rank, tag: Tag.failure))
    }
    var block = PredictionBlock()
    if header[0] > 0 { block.labels = try world.receive(from: rank, tag: Tag.labels) }
    if header[1] > 0 { block.numbers = try world.receive(from: rank, tag: Tag.numbers) }
    return block
  }
}
