/// Cuts bytes into records and fields.
///
/// Blank lines and comment lines are no records. A quote inside a field that does not start with one is a character like
/// any other.
struct CSVTokenizer {
  /// Why the bytes cannot be cut further, and at which byte.
  enum Fault: Equatable {
    case unterminatedQuote
    /// Something stands between a closing quote and the next delimiter; `opened` is the byte of the quote that was
    /// closed.
    case textAfterQuote(opened: Int)
    case ragged(fields: Int)
  }

  /// What a pass over the bytes came to.
  struct Result {
    /// The first byte that belongs to no complete record.
    var consumed: Int
    /// What is wrong with the record that starts there, and at which byte.
    var fault: (kind: Fault, byte: Int)?
  }

  var dialect: CSVDialect
  /// No bytes come after these: the last record may end without a line end.
  var isLast: Bool
  /// How many records to take at most.
  var limit = Int.max

  /// Appends the complete records that start from `start` on and before `border` to `layout`, whose number of columns each
  /// must have; where that is still zero, the first record sets it.
  func tokenize(_ bytes: Span<UInt8>, from start: Int, before border: Int = .max, into layout: inout CSVLayout)
    -> Result
  {
    var fields: [CSVField] = []
    swap(&fields, &layout.fields)
    defer { swap(&fields, &layout.fields) }
    let end = bytes.count
    let delimiter = dialect.delimiter
    let highestMark = max(delimiter, CSVDialect.carriageReturn)
    // Without a quote or a comment mark, a byte that is looked for nowhere else stands in: its own test comes first.
    let quote = dialect.quote ?? CSVDialect.lineFeed
    let comment = dialect.comment ?? CSVDialect.lineFeed
    var position = start
    var records = 0
    while position < end, position < border, records < limit {
      let recordStart = position
      let firstField = fields.count
      /// Undoes the record that was begun.
      func result(_ fault: (kind: Fault, byte: Int)? = nil) -> Result {
        fields.removeLast(fields.count - firstField)
        return Result(consumed: recordStart, fault: fault)
      }
      if comment != CSVDialect.lineFeed, bytes[position] == comment {
        while position < end, bytes[position] != CSVDialect.lineFeed, bytes[position] != CSVDialect.carriageReturn {
          position += 1
        }
        guard position < end || isLast else { return result() }
        guard let next = Self.afterLineEnd(bytes, position, isLast: isLast) else { return result() }
        position = next
        continue
      }
      record: while true {
        let fieldStart = position
        var field = CSVField(start: Int32(truncatingIfNeeded: fieldStart), end: 0, form: .plain)
        if position < end, bytes[position] == quote, quote != CSVDialect.lineFeed {
          field.start += 1
          field.form = .quoted
          position += 1
          quoted: while true {
            guard position < end else { return result(isLast ? (.unterminatedQuote, fieldStart) : nil) }
            let byte = bytes[position]
            position += 1
            guard byte == quote else { continue }
            // Whether this quote closes is told by the next byte.
            guard position < end || isLast else { return result() }
            guard position < end, bytes[position] == quote else { break quoted }
            field.form = .escaped
            position += 1
          }
          field.end = Int32(truncatingIfNeeded: position - 1)
          if position < end {
            let byte = bytes[position]
            let isMark = byte == delimiter || byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn
            if !isMark { return result((.textAfterQuote(opened: fieldStart), position)) }
          }
        } else {
          while position < end {
            let byte = bytes[position]
            if byte <= highestMark,
              byte == delimiter || byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn
            {
              break
            }
            position += 1
          }
          field.end = Int32(truncatingIfNeeded: position)
        }
        guard position < end || isLast else { return result() }
        fields.append(field)
        guard position < end else { break record }
        if bytes[position] == delimiter {
          position += 1
          continue record
        }
        guard let next = Self.afterLineEnd(bytes, position, isLast: isLast) else { return result() }
        position = next
        break record
      }
      let count = fields.count - firstField
      if count == 1, fields[firstField].isEmpty, fields[firstField].form == .plain {
        fields.removeLast()
        continue
      }
      if layout.columns == 0 { layout.columns = count }
      if count != layout.columns {
        // The place of the first field too many, or of the end of the record.
        let surplus = count > layout.columns ? fields[firstField + layout.columns] : fields[fields.count - 1]
        let byte = count > layout.columns ? Int(surplus.start) - (surplus.form == .plain ? 0 : 1) : Int(surplus.end)
        return result((.ragged(fields: count), byte))
      }
      layout.starts.append(Int32(truncatingIfNeeded: recordStart))
      records += 1
    }
    return Result(consumed: position, fault: nil)
  }

  /// The byte behind the line end at `position`: LF, CRLF or CR; nil where the next byte, still to come, says which.
  static func afterLineEnd(_ bytes: Span<UInt8>, _ position: Int, isLast: Bool) -> Int? {
    guard position < bytes.count else { return bytes.count }
    guard bytes[position] == CSVDialect.carriageReturn else { return position + 1 }
    guard position + 1 < bytes.count else { return isLast ? position + 1 : nil }
    return bytes[position + 1] == CSVDialect.lineFeed ? position + 2 : position + 1
  }
}
