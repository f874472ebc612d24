internal import CMarks

/// Where the fields of a text end, a piece of it at a time, and the numbers in those that hold a plain one.
///
/// A field ends at a delimiter or a line end (LF or CR); quotes mean nothing here. Fields are read eight at a time, wherever records
/// begin and end, so that no number waits for the one before it. A plain number has a minus or none, up to eight digits, and up to eight
/// digits behind a point; everything else is left to the caller.
@safe public struct NumberFields: ~Copyable {
  /// Text, places and numbers of a piece stay near the processor.
  public static let pieceBytes = 1 << 14
  /// Written and read beyond what is used.
  private static let spare = 16

  private let delimiter: UInt8
  private let point: UInt8
  /// Where each field ends; at the place before the first stands the byte before the piece.
  private let endPlaces: UnsafeMutablePointer<Int32>
  private let pointPlaces: UnsafeMutablePointer<Int32>
  private let linePlaces: UnsafeMutablePointer<Int32>
  private let hardFields: UnsafeMutablePointer<Int32>
  private let mantissaBase: UnsafeMutablePointer<UInt64>
  private let valueBase: UnsafeMutablePointer<Float>
  private var points = 0
  private var lineCount = 0
  private var hardCount = 0

  /// The piece that the fields are of.
  public private(set) var piece = 0..<0
  /// How many fields end in the piece.
  public private(set) var count = 0

  public init(delimiter: UInt8, point: UInt8) {
    self.delimiter = delimiter
    self.point = point
    let room = Self.pieceBytes + Self.spare
    func places() -> UnsafeMutablePointer<Int32> {
      let places = UnsafeMutablePointer<Int32>.allocate(capacity: room + 1)
      unsafe places.initialize(repeating: 0, count: room + 1)
      return unsafe places
    }
    unsafe endPlaces = places() + 1
    unsafe pointPlaces = places()
    unsafe linePlaces = places()
    unsafe hardFields = places()
    unsafe mantissaBase = .allocate(capacity: room)
    unsafe mantissaBase.initialize(repeating: 0, count: room)
    unsafe valueBase = .allocate(capacity: room)
    unsafe valueBase.initialize(repeating: 0, count: room)
  }

  deinit {
    unsafe (endPlaces - 1).deallocate()
    unsafe pointPlaces.deallocate()
    unsafe linePlaces.deallocate()
    unsafe hardFields.deallocate()
    unsafe mantissaBase.deallocate()
    unsafe valueBase.deallocate()
  }

  /// The byte behind each field.
  public var ends: Span<Int32> {
    @_lifetime(borrow self)
    borrowing get { unsafe _overrideLifetime(Span(_unsafeStart: endPlaces, count: count), borrowing: self) }
  }

  /// The line ends, in order; they end fields too.
  public var lines: Span<Int32> {
    @_lifetime(borrow self)
    borrowing get { unsafe _overrideLifetime(Span(_unsafeStart: linePlaces, count: lineCount), borrowing: self) }
  }

  /// The fields whose number is not known, in order.
  public var hard: Span<Int32> {
    @_lifetime(borrow self)
    borrowing get { unsafe _overrideLifetime(Span(_unsafeStart: hardFields, count: hardCount), borrowing: self) }
  }

  /// The number in each field, correctly rounded.
  public var values: Span<Float> {
    @_lifetime(borrow self)
    borrowing get { unsafe _overrideLifetime(Span(_unsafeStart: valueBase, count: count), borrowing: self) }
  }

  /// The number in each field without its sign, in units of 10⁻⁸.
  public var mantissas: Span<UInt64> {
    @_lifetime(borrow self)
    borrowing get { unsafe _overrideLifetime(Span(_unsafeStart: mantissaBase, count: count), borrowing: self) }
  }

  /// The first byte of a field.
  public func start(of field: Int) -> Int {
    precondition(field >= 0 && field <= count, "field \(field) of \(count)")
    return unsafe Int(endPlaces[field - 1]) + 1
  }

  /// The bytes of the piece of `text` that starts at `start`.
  public static func piece(of text: Span<UInt8>, from start: Int) -> Range<Int> {
    start..<min(start + pieceBytes, text.count)
  }

  /// Finds and reads the fields that end in the piece of `text` that starts at `start`, where a field starts.
  public mutating func find(in text: Span<UInt8>, from start: Int) {
    precondition(start >= 0 && start <= text.count && text.count <= Int32.max, "byte \(start) of \(text.count)")
    piece = Self.piece(of: text, from: start)
    (count, points, lineCount, hardCount) = (0, 0, 0, 0)
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      unsafe findMarks(base)
      unsafe readNumbers(base)
    }
  }

  private mutating func findMarks(_ text: UnsafePointer<UInt8>) {
    var (ends, points, lines) = (0, 0, 0)
    var start = piece.lowerBound
    while start < piece.upperBound {
      var marks: apus_marks
      if piece.upperBound - start >= 64 {
        marks = unsafe apus_find_marks(text + start, delimiter, point)
      } else {
        marks = apus_marks(delimiters: 0, points: 0, lines: 0)
        for index in 0..<piece.upperBound - start {
          let byte = unsafe text[start + index]
          let bit: UInt64 = 1 << UInt64(index)
          if byte == delimiter { marks.delimiters |= bit }
          if byte == point { marks.points |= bit }
          if byte == 0x0a || byte == 0x0d { marks.lines |= bit }
        }
      }
      let first = Int32(truncatingIfNeeded: start)
      ends += unsafe apus_append_places(marks.delimiters | marks.lines, first, endPlaces + ends)
      points += unsafe apus_append_places(marks.points, first, pointPlaces + points)
      lines += unsafe apus_append_places(marks.lines, first, linePlaces + lines)
      start += 64
    }
    count = ends
    self.points = points
    lineCount = lines
    unsafe endPlaces[-1] = Int32(piece.lowerBound) - 1
    // What is read beyond: fields that end where the last one does, and points behind them all.
    let last = unsafe endPlaces[ends - 1]
    for place in 0..<Self.spare {
      unsafe endPlaces[ends + place] = last
      unsafe pointPlaces[points + place] = .max
    }
  }

  private mutating func readNumbers(_ text: UnsafePointer<UInt8>) {
    var field = 0
    var nextPoint = 0
    // Eight bytes before a field are read with it.
    while field < count, unsafe endPlaces[field - 1] < 7 {
      appendHard(field)
      field += 1
    }
    while field < count {
      let hard: UInt32
      if count - field >= 8, unsafe apus_fields_have_points(pointPlaces + nextPoint, endPlaces + field) != 0 {
        hard = unsafe apus_read_numbers(
          text, pointPlaces + nextPoint, endPlaces + field, mantissaBase + field, valueBase + field)
        nextPoint += 8
      } else {
        var points = InlineArray<8, Int32>(repeating: 0)
        for lane in points.indices {
          let (before, end) = unsafe (endPlaces[field + lane - 1], endPlaces[field + lane])
          while unsafe pointPlaces[nextPoint] <= before { nextPoint += 1 }
          let point = unsafe pointPlaces[nextPoint]
          points[lane] = min(point, end)
          if point < end { nextPoint += 1 }
        }
        hard = unsafe points.span.withUnsafeBufferPointer { points in
          guard let base = points.baseAddress else { return 0 }
          return unsafe apus_read_numbers(text, base, endPlaces + field, mantissaBase + field, valueBase + field)
        }
      }
      var bits = hard
      while bits != 0 {
        let lane = bits.trailingZeroBitCount
        if field + lane < count { appendHard(field + lane) }
        bits &= bits &- 1
      }
      field += 8
    }
  }

  private mutating func appendHard(_ field: Int) {
    unsafe hardFields[hardCount] = Int32(truncatingIfNeeded: field)
    hardCount += 1
  }
}
