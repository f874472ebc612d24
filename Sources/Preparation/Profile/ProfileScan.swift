/// The first reading of a table whose columns may be anything.
final class ProfileScan: BlockVisitor {
  private(set) var profile: TableProfile
  /// What the target is, where one is named.
  private(set) var target: TargetScan?
  /// Where the records of each block start in its file.
  private(set) var starts: [Int] = []

  private let tables: InputTables
  /// For each file the field of each column.
  private let fields: [[Int]]
  private let missing: MissingValue
  /// The targets of rows that lack a value do not count.
  private let completeOnly: Bool
  private let bytes: Int
  private var bytesRead = 0
  private let progress: (PreparationProgress) -> Void

  init(
    _ share: TextShare, fields: [[Int]], missing: MissingValue, target: String?, completeOnly: Bool,
    progress: @escaping (PreparationProgress) -> Void
  ) {
    tables = share.tables
    self.fields = fields
    self.missing = missing
    self.completeOnly = completeOnly
    self.progress = progress
    let first = share.tables.tables[0]
    profile = TableProfile(names: first.header.map(\.name))
    self.target = target.map { TargetScan(column: $0, dialect: first.dialect) }
    bytes = share.blocks.reduce(0) { $0 + share.tables.blocks[$1].range.count }
  }

  func visit(_ block: Int, _ reader: inout CSVReader) throws(PreparationError) {
    starts.append(reader.position)
    let file = tables.blocks[block].file
    var fault: PreparationError?
    do throws(PreparationError) {
      while try reader.take(limit: .max) {}
    } catch {
      // What stands before the fault may hold one too.
      fault = error
    }
    let isComplete = try profile.observe(
      reader, fields: fields[file], missing: missing, parser: DecimalParser(tables.tables[file].dialect))
    if let fault { throw fault }
    if let column = target?.column, let index = profile.names.firstIndex(of: column) {
      for record in 0..<reader.block.records {
        let field = reader.block[record, fields[file][index]]
        guard !missing.matches(reader.block.bytes.span, field.range), isComplete[record] || !completeOnly else {
          continue
        }
        _ = try target?.observe(field, file: file, in: reader)
      }
    }
    bytesRead += tables.blocks[block].range.count
    progress(PreparationProgress(phase: .checking, bytes: bytesRead, totalBytes: bytes, rows: profile.rows))
  }
}
