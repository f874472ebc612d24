/// How a text file marks its fields, records and numbers.
///
/// Records end with LF, CRLF or CR. A field may stand in quotes, and then holds delimiters, line ends and doubled quotes
/// (RFC 4180). The first record names the columns.
public struct CSVDialect: Equatable, Sendable {
  /// The byte between two fields.
  public var delimiter = UInt8(ascii: ",")
  /// The byte around a field; nil where a quote is a character like any other.
  public var quote: UInt8? = UInt8(ascii: "\"")
  /// Whether the first record names the columns. Without it they are x1, x2 and so on.
  public var hasHeader = true
  /// The byte before the decimals of a number.
  public var decimal = UInt8(ascii: ".")
  /// The byte between groups of three digits before the decimals; nil where there is none.
  public var thousands: UInt8?
  /// The byte that a line to be passed over starts with; nil where there are no such lines.
  public var comment: UInt8?

  public init() {}

  public init(delimiter: UInt8) {
    self.delimiter = delimiter
  }

  /// - Parameter delimiter: the byte between fields where it is asked for; it is found out otherwise.
  /// - Throws: `PreparationError` if a byte has two meanings.
  func check(delimiter: UInt8?) throws(PreparationError) {
    let marks: [(option: String, byte: UInt8?)] = [
      ("--delimiter", delimiter), ("--quote", quote), ("--decimal", decimal), ("--thousands", thousands),
      ("--comment", comment),
    ]
    var meanings: [UInt8: String] = [:]
    for case (let option, let byte?) in marks {
      guard byte < 0x80, byte != Self.lineFeed, byte != Self.carriageReturn, byte != 0 else {
        throw PreparationError(.usage, "\(option): a line end or a character beyond ASCII cannot be a mark")
      }
      if let other = meanings.updateValue(option, forKey: byte) {
        throw PreparationError(
          .usage, "\(other) and \(option) cannot both be \(quoted(String(UnicodeScalar(byte))))")
      }
      let isOfNumbers = byte &- 48 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
      if isOfNumbers, option != "--comment" {
        throw PreparationError(.usage, "\(option): \(quoted(String(UnicodeScalar(byte)))) is part of numbers")
      }
    }
  }

  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")

  /// The delimiters that are told apart, in the order in which they win a tie.
  public static let delimiters: [UInt8] = [
    UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|"),
  ]

  /// The delimiter, where it is one that is not found out and so must be kept.
  public var rareDelimiter: UInt8? { Self.delimiters.contains(delimiter) ? nil : delimiter }

  /// The delimiter that fits the first records of a file; not one that stands in numbers.
  ///
  /// A delimiter that cuts all of them into the same number of fields (at least two) wins, the largest number first;
  /// else the one that cuts the header most often, so that a ragged file is reported and not taken for one column.
  /// - Parameters:
  ///   - sample: the start of the file, after a byte order mark.
  ///   - isWhole: the sample is the whole file, so that its last record is complete.
  func detectedDelimiter(in sample: Span<UInt8>, isWhole: Bool) -> UInt8 {
    let candidates = Self.delimiters.filter { $0 != decimal && $0 != thousands }
    var best = candidates[0]
    var bestScore = (isEven: false, fields: 1)
    for delimiter in candidates {
      let counts = fieldCounts(in: sample, isWhole: isWhole, delimiter: delimiter)
      guard let header = counts.first, header > 1 else { continue }
      let score = (isEven: counts.allSatisfy { $0 == header }, fields: header)
      if score.isEven == bestScore.isEven ? score.fields > bestScore.fields : score.isEven {
        best = delimiter
        bestScore = score
      }
    }
    return best
  }

  /// How many fields each of the first records has with this delimiter. Blank lines do not count.
  private func fieldCounts(in sample: Span<UInt8>, isWhole: Bool, delimiter: UInt8) -> [Int] {
    let most = 100
    var counts: [Int] = []
    var fields = 1
    var isQuoted = false
    var isFieldStart = true
    var isBlank = true
    var position = 0
    while position < sample.count, counts.count < most {
      let byte = sample[position]
      position += 1
      if isBlank, byte == comment {
        while position < sample.count, sample[position] != Self.lineFeed, sample[position] != Self.carriageReturn {
          position += 1
        }
      } else if isQuoted {
        // A doubled quote closes and opens again, which comes to the same.
        if byte == quote { isQuoted = false }
      } else if byte == delimiter {
        fields += 1
        isFieldStart = true
        isBlank = false
      } else if byte == Self.lineFeed || byte == Self.carriageReturn {
        if !isBlank { counts.append(fields) }
        fields = 1
        isFieldStart = true
        isBlank = true
      } else {
        let reopens = byte == quote && position >= 2 && sample[position - 2] == byte
        if byte == quote, isFieldStart || reopens { isQuoted = true }
        isFieldStart = false
        isBlank = false
      }
    }
    if isWhole, !isBlank, counts.count < most { counts.append(fields) }
    return counts
  }
}
