import Testing

@testable import Kernels

@Suite struct ElementwiseTests {
  private func randoms(_ count: Int, _ label: UInt64) -> [Float] {
    var stream = RandomStream(seed: 6, stream: label)
    return (0..<count).map { _ in 4 * stream.uniform() - 2 }
  }

  @Test func scalesAndAdds() {
    var buffer = FloatBuffer([1, 2, 3, 4])
    Elementwise.scale(&buffer, 1..<3, by: 10)
    #expect(buffer.values() == [1, 20, 30, 4])
    let other = FloatBuffer([5, 6, 7])
    Elementwise.add(other, 1..<3, to: &buffer, at: 0)
    #expect(buffer.values() == [7, 27, 30, 4])
    Elementwise.add(other, 0..<2, times: 2, to: &buffer, at: 2)
    #expect(buffer.values() == [7, 27, 40, 16])
  }

  @Test func wholeNumbersUpToALimit() {
    func areWhole(_ values: [Float], _ range: Range<Int>, upTo limit: Float) -> Bool {
      let buffer = FloatBuffer(values)
      return Elementwise.areWhole(buffer, range, upTo: limit)
    }
    let limit: Float = 0x1p22
    let numbers: [Float] = [0, -0.0, 7, limit, limit - 1]
    let others: [Float] = [limit + 1, -1, 0.5, limit - 0.5, 1e-30, .infinity, .nan]
    for value in numbers + others {
      for place in [0, 20, 36] {
        var values = [Float](repeating: 3, count: 37)
        values[place] = value
        let isWhole = numbers.contains(value)
        #expect(areWhole(values, 0..<37, upTo: limit) == isWhole, "\(value) at \(place)")
        #expect(areWhole(values, place + 1..<37, upTo: 3))
      }
    }
    let four: [Float] = [4]
    #expect(!areWhole(four, 0..<1, upTo: 3))
    #expect(areWhole(four, 1..<1, upTo: 3))
  }

  @Test func affineWorksColumnByColumn() {
    var buffer = FloatBuffer([0, 1, 2, 9, 3, 4, 5, 9])
    let view = MatrixView(offset: 0, rows: 2, columns: 3, rowStride: 4)
    Elementwise.affine(
      &buffer, view, scales: FloatBuffer([0, 1, 2, 3]), at: 1, shifts: FloatBuffer([10, 20, 30]))
    #expect(buffer.values() == [10, 22, 36, 9, 13, 28, 45, 9])
  }

  @Test(arguments: [1, 3, 17]) func columnSumsAddRows(columns: Int) {
    let values = randoms(40 * columns, 1)
    let matrix = FloatBuffer(values)
    var sums = FloatBuffer([Float](repeating: .nan, count: columns + 1))
    let view = MatrixView(rows: 40, columns: columns)
    Elementwise.columnSums(matrix, view, into: &sums, at: 1, accumulate: false)
    Elementwise.columnSums(matrix, view, into: &sums, at: 1, accumulate: true)
    for column in 0..<columns {
      let sum = (0..<40).reduce(0.0) { $0 + 2 * Double(values[$1 * columns + column]) }
      #expect(abs(Double(sums[1 + column]) - sum) < 1e-4)
    }
    Elementwise.columnSums(matrix, view.rows(0..<0), into: &sums, at: 1, accumulate: false)
    #expect(sums.values(in: 1..<columns + 1) == [Float](repeating: 0, count: columns))
  }

  @Test(arguments: [1, 9]) func biasGoesToEveryRow(columns: Int) {
    let values = randoms(5 * columns, 2)
    var z = FloatBuffer(values)
    let bias = FloatBuffer([9] + randoms(columns, 3))
    Elementwise.addBias(&z, MatrixView(rows: 5, columns: columns), bias: bias, at: 1)
    for index in values.indices { #expect(z[index] == values[index] + bias[1 + index % columns]) }
    z = FloatBuffer(values)
    Elementwise.addBiasAndRelu(&z, MatrixView(rows: 5, columns: columns), bias: bias, at: 1)
    for index in values.indices { #expect(z[index] == max(0, values[index] + bias[1 + index % columns])) }
  }

  @Test func findsWhatIsNotFinite() {
    var buffer = FloatBuffer(count: 10_000)
    #expect(Elementwise.isFinite(buffer, 0..<10_000) == true)
    #expect(Elementwise.firstNonFinite(buffer, 0..<10_000) == nil)
    buffer.fill(with: -.greatestFiniteMagnitude)
    #expect(Elementwise.isFinite(buffer, 0..<10_000) == true)
    for bad in [Float.nan, .infinity, -.infinity, .signalingNaN] {
      for place in [0, 1, 4095, 4096, 9_999] {
        buffer.fill(with: 1)
        buffer[place] = bad
        #expect(Elementwise.isFinite(buffer, 0..<10_000) == false)
        #expect(Elementwise.firstNonFinite(buffer, 0..<10_000) == place)
        #expect(Elementwise.firstNonFinite(buffer, place + 1..<10_000) == nil)
        #expect(Elementwise.isFinite(buffer, 0..<place) == true)
      }
    }
  }

  @Test func aNaNPassesThroughEveryActivation() {
    let bias = FloatBuffer(count: 1)
    let view = MatrixView(rows: 1, columns: 1)
    var slopes = FloatBuffer(count: 1)
    for activation in 0..<4 {
      var z = FloatBuffer([.nan])
      switch activation {
      case 0: Elementwise.addBiasAndRelu(&z, view, bias: bias, at: 0)
      case 1: Elementwise.addBiasAndTanh(&z, view, bias: bias, at: 0)
      case 2: Elementwise.addBiasAndSigmoid(&z, view, bias: bias, at: 0)
      default: Elementwise.addBiasAndGelu(&z, view, bias: bias, at: 0, slopes: &slopes)
      }
      #expect(z[0].isNaN)
    }
    #expect(slopes[0].isNaN)
  }
}
