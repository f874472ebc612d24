/// Where the rows of a block stand in their file, for messages.
struct RowOrigin: Sendable {
  let path: String
  /// The records that the rows were read from, and the place of the first of their bytes in the file.
  let block: CSVBlock
  /// The field of each column of the schema.
  let fields: [Int]
  /// The record of each row.
  var records: [Int]

  func selecting(_ rows: [Int]) -> RowOrigin {
    RowOrigin(path: path, block: block, fields: fields, records: rows.map { records[$0] })
  }

  func text(row: Int, column: Int) -> String { block.text(block[records[row], fields[column]]) }

  /// Nil if the file cannot be read again.
  func place(row: Int, column: Int) -> PreparationError.Place? {
    let field = block[records[row], fields[column]]
    do throws(PreparationError) {
      return try PreparationError.Place(
        ofByte: block.offset + field.firstByte, in: try CSVSource.open(path), path: path)
    } catch {
      return nil
    }
  }
}
