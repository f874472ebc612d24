/// How a text file marks its fields and records.
///
/// Records end with LF, CRLF or CR. A field may stand in double quotes, and then holds delimiters, line ends and
/// doubled quotes (RFC 4180). The first record names the columns.
public struct CSVDialect: Equatable, Sendable {
  /// The byte between two fields.
  public var delimiter: UInt8

  public init(delimiter: UInt8) {
    self.delimiter = delimiter
  }

  static let quote = UInt8(ascii: "\"")
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")

  /// The delimiters that are told apart, in the order in which they win a tie.
  public static let delimiters: [UInt8] = [
    UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|"),
  ]

  /// The dialect that fits the first records of a file.
  ///
  /// A delimiter that cuts all of them into the same number of fields (at least two) wins, the largest number first;
  /// else the one that cuts the header most often, so that a ragged file is reported and not taken for one column.
  /// - Parameters:
  ///   - sample: the start of the file, after a byte order mark.
  ///   - isWhole: the sample is the whole file, so that its last record is complete.
  static func detected(in sample: Span<UInt8>, isWhole: Bool) -> CSVDialect {
    var best = CSVDialect(delimiter: delimiters[0])
    var bestScore = (isEven: false, fields: 1)
    for delimiter in delimiters {
      let counts = fieldCounts(in: sample, isWhole: isWhole, delimiter: delimiter)
      guard let header = counts.first, header > 1 else { continue }
      let score = (isEven: counts.allSatisfy { $0 == header }, fields: header)
      if score.isEven == bestScore.isEven ? score.fields > bestScore.fields : score.isEven {
        best = CSVDialect(delimiter: delimiter)
        bestScore = score
      }
    }
    return best
  }

  /// How many fields each of the first records has with this delimiter. Blank lines do not count.
  private static func fieldCounts(in sample: Span<UInt8>, isWhole: Bool, delimiter: UInt8) -> [Int] {
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
      if isQuoted {
        // A doubled quote closes and opens again, which comes to the same.
        if byte == quote { isQuoted = false }
      } else if byte == delimiter {
        fields += 1
        isFieldStart = true
        isBlank = false
      } else if byte == lineFeed || byte == carriageReturn {
        if !isBlank { counts.append(fields) }
        fields = 1
        isFieldStart = true
        isBlank = true
      } else {
        let reopens = byte == quote && position >= 2 && sample[position - 2] == quote
        if byte == quote, isFieldStart || reopens { isQuoted = true }
        isFieldStart = false
        isBlank = false
      }
    }
    if isWhole, !isBlank, counts.count < most { counts.append(fields) }
    return counts
  }
}
