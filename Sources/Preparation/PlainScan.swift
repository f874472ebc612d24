internal import Files
internal import Kernels

/// The first reading of a table whose features are numbers as they are: every row is checked and kept, and what the target is
/// is found out.
final class PlainScan: BlockVisitor {
  private(set) var target: TargetScan
  /// Rows that are left out, by the first feature they lack a value of; the last entry counts those without a target.
  private(set) var dropped: [Int]
  /// Rows of each block.
  private(set) var rowsOfBlock: [Int] = []
  /// Records read.
  private(set) var records = 0

  private let tables: InputTables
  let store: RowStore
  private let progress: (PreparationProgress) -> Void
  private let bytes: Int
  private var bytesRead = 0
  private let columns: Int
  /// For the file that is being read.
  private var file = -1
  private var parser: RowParser
  private var numbers: NumberRecord
  private let missing: MissingValue
  private let policy: MissingPolicy
  private let selections: [ColumnSelection]
  /// The rows of the store's buffers that are free, and the first that was when they were lent.
  private var room = 0..<0
  private var firstLent = 0

  init(
    _ share: TextShare, _ selections: [ColumnSelection], request: PreparationRequest, store: RowStore,
    progress: @escaping (PreparationProgress) -> Void
  ) {
    tables = share.tables
    self.selections = selections
    self.store = store
    self.progress = progress
    bytes = share.blocks.reduce(0) { $0 + share.tables.blocks[$1].range.count }
    missing = request.missingValues
    policy = request.missing
    columns = selections[0].features.count
    target = TargetScan(column: request.target, dialect: tables.tables[0].dialect)
    dropped = [Int](repeating: 0, count: columns + 1)
    parser = RowParser(selection: selections[0], missing: policy, missingValues: missing, dialect: request.dialect)
    numbers = NumberRecord(slots: [], dialect: request.dialect)
  }

  private func open(_ file: Int) {
    self.file = file
    let table = tables.tables[file]
    parser = RowParser(selection: selections[file], missing: policy, missingValues: missing, dialect: table.dialect)
    var slots = [Int32](repeating: NumberRecord.Slot.skip, count: table.header.count)
    for (index, field) in selections[file].features.enumerated() { slots[field] = Int32(index) }
    if let target = selections[file].target { slots[target] = NumberRecord.Slot.target }
    numbers = NumberRecord(slots: slots, dialect: table.dialect)
  }

  func visit(_ block: Int, _ reader: inout CSVReader) throws(PreparationError) {
    if tables.blocks[block].file != file { open(tables.blocks[block].file) }
    let first = store.rows
    // Rows are read to where they wait. The buffers are local variables, whose spans do not escape; so is the scan, whose every use
    // would be checked.
    var features = FloatBuffer(count: 0)
    var targets = FloatBuffer(count: 0)
    var scan = TargetScan(column: "")
    swap(&scan, &target)
    defer { swap(&scan, &target) }
    lend(&features, &targets)
    var fields = NumberFields(delimiter: reader.dialect.delimiter, point: reader.dialect.decimal)
    var place = NumberRecord.Place()
    while true {
      if room.isEmpty {
        try giveBack(&features, &targets)
        lend(&features, &targets)
      }
      reader.skip(to: readPlain(reader, &features, &targets, &scan, &fields, &place))
      if room.isEmpty { continue }
      guard try reader.take(limit: 1) else { break }
      try readAny(reader, &features, &targets, &scan)
      reader.forget()
    }
    try giveBack(&features, &targets)
    rowsOfBlock.append(store.rows - first)
    bytesRead += tables.blocks[block].range.count
    progress(PreparationProgress(phase: .checking, bytes: bytesRead, totalBytes: bytes, rows: records))
  }

  private func lend(_ features: inout FloatBuffer, _ targets: inout FloatBuffer) {
    room = store.lend(&features, &targets)
    firstLent = room.lowerBound
  }

  private func giveBack(_ features: inout FloatBuffer, _ targets: inout FloatBuffer) throws(PreparationError) {
    try store.take(room.lowerBound - firstLent, &features, &targets)
  }

  /// Reads records of plain numbers, up to the first that is something else or finds no room; returns where that starts.
  private func readPlain(
    _ reader: borrowing CSVReader, _ features: inout FloatBuffer, _ targets: inout FloatBuffer,
    _ scan: inout TargetScan,
    _ fields: inout NumberFields, _ place: inout NumberRecord.Place
  ) -> Int {
    let bytes = reader.block.bytes.span
    let text = bytes.extracting(0..<reader.filled)
    let numbers = numbers
    var row = room.lowerBound
    let range = reader.range
    var position = range.lowerBound
    var target = NumberRecord.Target()
    var values = features.mutableSpan
    var targetValues = targets.mutableSpan
    let columns = columns
    let capacity = room.upperBound
    place.skip(to: position, fields)
    reading: while position < range.upperBound, row < capacity {
      switch numbers.read(bytes, fields, &place, from: position, into: &values, at: row * columns, target: &target) {
      case .end(let end):
        targetValues[RowStore.targetWidth * row] = target.narrow
        targetValues[RowStore.targetWidth * row + 1] = Float(scan.observe(target.wide))
        row += 1
        position = end
      case .isBeyond:
        // A record that is longer than a piece, or the last one of what was read.
        if fields.piece == NumberFields.piece(of: text, from: position) { break reading }
        fields.find(in: text, from: position)
        place = NumberRecord.Place()
      case .isNotPlain:
        break reading
      }
    }
    records += row - room.lowerBound
    room = row..<capacity
    return position
  }

  /// Reads the one record of the reader's block, whatever it holds.
  private func readAny(
    _ reader: borrowing CSVReader, _ features: inout FloatBuffer, _ targets: inout FloatBuffer, _ scan: inout TargetScan
  ) throws(PreparationError) {
    records += 1
    var values = features.mutableSpan
    let row = room.lowerBound
    if let lacking = try parser.features(of: 0, in: reader, into: &values, at: row * columns) {
      dropped[lacking] += 1
    } else if try parser.targetIsMissing(0, in: reader) {
      dropped[columns] += 1
    } else if let field = parser.selection.target {
      let code = try scan.observe(reader.block[0, field], file: file, in: reader)
      // Text has no value; whether that is a mistake is decided when all values are known.
      targets[RowStore.targetWidth * row] = parser.numbers(reader.block[0, field], in: reader)?.narrow ?? 0
      targets[RowStore.targetWidth * row + 1] = Float(code)
      room = row + 1..<room.upperBound
    }
  }
}
