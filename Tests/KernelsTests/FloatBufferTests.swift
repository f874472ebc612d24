import Testing

@testable import Kernels

/// Memory that outlives the buffers made over it.
final class Window: FloatMemory {
  let memory: UnsafeMutableBufferPointer<Float>
  @safe var floatMemory: UnsafeMutableBufferPointer<Float> { memory }
  nonisolated(unsafe) static var alive = 0

  init(count: Int) {
    memory = .allocate(capacity: count)
    memory.initialize(repeating: 1)
    Self.alive += 1
  }

  deinit {
    memory.deallocate()
    Self.alive -= 1
  }
}

@Suite struct FloatBufferTests {
  @Test func startsAsAlignedZeros() {
    for count in [0, 1, 15, 16, 17, 1000] {
      let buffer = FloatBuffer(count: count)
      #expect(buffer.values() == [Float](repeating: 0, count: count))
      #expect(Int(bitPattern: buffer.base) % 64 == 0)
    }
  }

  @Test func copiesMovesAndFills() {
    var buffer = FloatBuffer([1, 2, 3, 4, 5, 6])
    let other = FloatBuffer([7, 8, 9])
    buffer.copy(from: other, range: 1..<3, to: 0)
    #expect(buffer.values() == [8, 9, 3, 4, 5, 6])
    buffer.move(range: 0..<4, to: 1)
    #expect(buffer.values() == [8, 8, 9, 3, 4, 6])
    buffer.fill(4..<6, with: -1)
    buffer.copy(from: [10], at: 3)
    #expect(buffer.values() == [8, 8, 9, 10, -1, -1])
    #expect(buffer.values(in: 2..<4) == [9, 10])
    buffer[0] += 1
    #expect(buffer[0] == 9)
  }

  @Test func spansSeeTheElements() {
    var buffer = FloatBuffer([1, 2, 3])
    var span = buffer.mutableSpan
    span[1] = 5
    #expect(buffer.span[1] == 5)
    #expect(buffer.span.count == 3)
  }

  @Test func sharesMemoryAndKeepsItsOwner() {
    do {
      var buffer = FloatBuffer(sharing: Window(count: 4))
      #expect(Window.alive == 1)
      buffer[2] = 3
      #expect(buffer.values() == [1, 1, 3, 1])
    }
    #expect(Window.alive == 0)
  }

  private static let widths = [1, 2, 15, 16, 17, 28, 100, 112, 127, 128, 129, 144, 784]

  /// Rows go to the places that are named and come back from them, whatever their width; nothing else is touched.
  @Test(arguments: widths) func rowsGoToTheirPlacesAndBack(columns: Int) {
    let places: [Int32] = [9, 4, 0, 7, 5, 1, 2]
    let part = 1..<6
    let source = FloatBuffer((0..<6 * columns).map { Float($0 + 1) })
    var target = FloatBuffer(count: 10 * columns)
    let isFinite = target.scatter(source, rows: 1..<6, columns: columns, to: places, part)
    #expect(isFinite)
    for place in 0..<10 {
      let row = places[part].firstIndex(of: Int32(place)).map { $0 - part.lowerBound + 1 }
      let wanted = (0..<columns).map { column in row.map { Float($0 * columns + column + 1) } ?? 0 }
      #expect(target.values(in: place * columns..<(place + 1) * columns) == wanted)
    }
    var back = FloatBuffer(count: 7 * columns)
    back.gather(rows: places, part, of: target, columns: columns, to: 2)
    #expect(back.values(in: 0..<2 * columns).allSatisfy { $0 == 0 })
    #expect(back.values(in: 2 * columns..<7 * columns) == source.values(in: columns..<6 * columns))
  }

  /// A number that is not finite is found in every place, and goes to its place all the same.
  @Test(arguments: widths, [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteIsFound(columns: Int, value: Float) {
    for index in Set([0, columns / 2, columns - 1, 2 * columns - 1]) {
      var source = FloatBuffer(count: 2 * columns)
      source[index] = value
      var target = FloatBuffer(count: 3 * columns)
      let isFinite = target.scatter(source, rows: 0..<2, columns: columns, to: [2, 0], 0..<2)
      #expect(!isFinite)
      let place = index < columns ? 2 * columns + index : index - columns
      #expect(target[place].bitPattern == value.bitPattern)
      #expect(target.values().filter { !$0.isFinite }.count == 1)
    }
  }

  @Test func viewsDescribeParts() {
    let view = MatrixView(offset: 2, rows: 4, columns: 3, rowStride: 5)
    #expect(view.end == 20)
    #expect(!view.isContiguous)
    #expect(view.rows(1..<3) == MatrixView(offset: 7, rows: 2, columns: 3, rowStride: 5))
    #expect(view.columns(1..<2) == MatrixView(offset: 3, rows: 4, columns: 1, rowStride: 5))
    #expect(MatrixView(rows: 0, columns: 3).end == 0)
    #expect(MatrixView(rows: 2, columns: 3).isContiguous)
  }

  @Test func memoryThatIsNotThereEndsTheProgramWithAMessage() async {
    let buffer = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      print(FloatBuffer(count: 1 << 50).count)
    }
    let pages = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      print(PageMemory(count: 1 << 50).floatMemory.count)
    }
    for result in [buffer, pages] {
      let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(text.contains("apus: not enough memory: \(1 << 52) bytes wanted for one buffer\n"), "\(text)")
    }
  }

  @Test func aViewBeyondTheBufferStopsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      var buffer = FloatBuffer(count: 5)
      Elementwise.addBiasAndRelu(&buffer, MatrixView(rows: 2, columns: 3), bias: FloatBuffer(count: 3), at: 0)
    }
  }
}
