internal import Kernels

/// Makes the rows of a synthetic data set, any of them in any order.
struct RowGenerator {
  private let request: GenerationRequest
  /// Before a drift and after it.
  let relations: [Relation]
  private var streams: RowStreams
  private var row: [Double]
  private var scratch: Relation.Scratch

  init(_ request: GenerationRequest) {
    self.request = request
    relations = (0...(request.drift == nil ? 0 : 1)).map { Relation(request, number: $0) }
    streams = RowStreams(request)
    row = [Double](repeating: 0, count: request.columns)
    scratch = Relation.Scratch(request)
  }

  /// Fills `features` and `targets`, from their beginnings, with these rows.
  mutating func generate(_ rows: Range<Int>, features: inout FloatBuffer, targets: inout FloatBuffer) {
    let columns = request.columns
    for number in rows {
      streams.seek(row: number)
      let isOver = request.drift?.isOver(row: number, uniform: streams.driftNumber) ?? false
      let target = relations[isOver ? 1 : 0].row(&streams, features: &row, scratch: &scratch)
      streams.remove(request.missing, from: &row)
      targets[number - rows.lowerBound] = Float(target)
      Self.copy(row.span, to: &features, at: (number - rows.lowerBound) * columns)
    }
  }

  private static func copy(_ row: Span<Double>, to features: inout FloatBuffer, at offset: Int) {
    var span = features.mutableSpan
    for column in 0..<row.count { span[offset + column] = Float(row[column]) }
  }
}
