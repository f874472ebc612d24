/// Cuts bytes into records and fields.
///
/// Blank lines are no records. A quote inside a field that does not start with one is a character like any other.
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
    /// The line that byte is on.
    var line: Int
    /// What is wrong with the record that starts there, and at which byte.
    var fault: (kind: Fault, byte: Int)?
  }

  var delimiter: UInt8
  /// No bytes come after these: the last record may end without a line end.
  var isLast: Bool
  /// How many records to take at most.
  var limit = Int.max

  /// Appends the complete records from `start` on to `layout`, whose number of columns each must have; where that is
  /// still zero, the first record sets it.
  ///
  /// - Parameter line: the line of the file, from 1, that `start` is on.
  func tokenize(_ bytes: Span<UInt8>, from start: Int, line firstLine: Int, into layout: inout CSVLayout) -> Result {
    var fields: [CSVField] = []
    swap(&fields, &layout.fields)
    defer { swap(&fields, &layout.fields) }
    let end = bytes.count
    let highestMark = max(delimiter, CSVDialect.carriageReturn)
    var position = start
    var line = firstLine
    var records = 0
    while position < end, records < limit {
      let recordStart = position
      let recordLine = line
      let firstField = fields.count
      /// Undoes the record that was begun.
      func result(_ fault: (kind: Fault, byte: Int)? = nil) -> Result {
        fields.removeLast(fields.count - firstField)
        return Result(consumed: recordStart, line: recordLine, fault: fault)
      }
      record: while true {
        let fieldStart = position
        var field = CSVField(start: Int32(truncatingIfNeeded: fieldStart), end: 0, form: .plain)
        if position < end, bytes[position] == CSVDialect.quote {
          field.start += 1
          field.form = .quoted
          position += 1
          quoted: while true {
            guard position < end else { return result(isLast ? (.unterminatedQuote, fieldStart) : nil) }
            let byte = bytes[position]
            position += 1
            if byte == CSVDialect.quote {
              // Whether this quote closes is told by the next byte.
              guard position < end || isLast else { return result() }
              guard position < end, bytes[position] == CSVDialect.quote else { break quoted }
              field.form = .escaped
              position += 1
            } else if byte == CSVDialect.lineFeed {
              line += 1
            } else if byte == CSVDialect.carriageReturn {
              // CRLF is one line end: its LF counts.
              guard position < end || isLast else { return result() }
              if position == end || bytes[position] != CSVDialect.lineFeed { line += 1 }
            }
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
        let mark = bytes[position]
        position += 1
        if mark == delimiter { continue record }
        if mark == CSVDialect.carriageReturn {
          guard position < end || isLast else { return result() }
          if position < end, bytes[position] == CSVDialect.lineFeed { position += 1 }
        }
        line += 1
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
      layout.starts.append((Int32(truncatingIfNeeded: recordStart), recordLine))
      records += 1
    }
    return Result(consumed: position, line: line, fault: nil)
  }
}
