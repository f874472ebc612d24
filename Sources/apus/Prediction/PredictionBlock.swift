import MPI

/// The predictions of some rows that follow each other.
struct PredictionBlock: Equatable, Sendable {
  /// `labels` of the schema a row, row-major.
  var labels: [Int32] = []
  /// `width` of the schema a row, row-major.
  var numbers: [Float] = []

  static let empty = PredictionBlock()

  /// Puts the rows of another block behind these.
  mutating func append(_ other: PredictionBlock) {
    labels += other.labels
    numbers += other.numbers
  }

  /// The rows in `range`.
  func rows(_ range: Range<Int>, _ schema: PredictionSchema) -> PredictionBlock {
    PredictionBlock(
      labels: Array(labels[range.lowerBound * schema.labels..<range.upperBound * schema.labels]),
      numbers: Array(numbers[range.lowerBound * schema.width..<range.upperBound * schema.width]))
  }

  /// Makes a row one without a prediction.
  mutating func clear(_ row: Int, _ schema: PredictionSchema) {
    for index in row * schema.labels..<(row + 1) * schema.labels { labels[index] = -1 }
    for index in row * schema.width..<(row + 1) * schema.width { numbers[index] = .nan }
  }
}

// From the rank that predicted to the one that writes: how many numbers, and these.
extension PredictionBlock {
  private enum Tag {
    static let header = 1
    static let labels = 2
    static let numbers = 3
  }

  /// Sends the block to rank 0.
  func send(_ world: borrowing Communicator) throws(MPIError) {
    try world.send([labels.count, numbers.count].span, to: 0, tag: Tag.header)
    if !labels.isEmpty { try world.send(labels.span, to: 0, tag: Tag.labels) }
    if !numbers.isEmpty { try world.send(numbers.span, to: 0, tag: Tag.numbers) }
  }

  /// Waits for what `rank` sends.
  static func receive(from rank: Int, _ world: borrowing Communicator) throws(MPIError) -> PredictionBlock {
    let header: [Int] = try world.receive(from: rank, tag: Tag.header)
    var block = PredictionBlock()
    if header[0] > 0 { block.labels = try world.receive(from: rank, tag: Tag.labels) }
    if header[1] > 0 { block.numbers = try world.receive(from: rank, tag: Tag.numbers) }
    return block
  }
}
