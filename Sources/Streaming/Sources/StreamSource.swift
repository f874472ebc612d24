import Data
import Failures
import Files
import Preparation
import Redis
import Text

/// A source of rows: standard input, a named pipe, a file, a directory into which files come, or a stream of Redis.
final class StreamSource {
  private enum Reader {
    case text(TextRows)
    case hdf5(HDF5Rows)
    case redis(RedisRows)
  }

  /// Standard input.
  static let standardInput = "-"
  /// Looks for a file that is not there yet, or is being written.
  private static let lookInterval = Duration.milliseconds(50)
  /// A file that nobody has written to for so long is complete.
  private static let settling = 500_000_000
  /// Names of files that are being written.
  private static let unfinished = [".tmp", ".part", ".partial"]

  /// As the job names it.
  let path: String
  private(set) var position: SourcePosition
  /// No row comes any more.
  private(set) var hasEnded = false
  /// The last look ended because it had seen enough rows, be they taken or left out; there may be more.
  private(set) var isBusy = false
  /// What was wrong with the first row that was left out.
  private(set) var firstFault: String?

  private var settings: SourceSettings
  private let numbers: RowNumbers
  /// Nil where targets are numbers.
  private var classes: StreamClasses?
  /// The next row, where its class is not known yet.
  private var newcomer: Newcomer?
  private var reader: Reader?
  private var isDirectory = false
  /// Whether what is read has as many columns as the model.
  private var isChecked = false
  /// Rows of a pipe that are done with and come again.
  private var repeated = 0
  private var looked: ContinuousClock.Instant?
  /// Rows that lie ready, with one among them of which something is to be said.
  private var oneByOne = 0
  /// Draws the rows that are learned; nil takes all.
  private var sampler: RowSampler?
  /// The names of the features, once the ranks agree on them.
  private var settled: [String]?
  /// Of a text that is followed.
  private var fileNumber: UInt64?
  private var checked: ContinuousClock.Instant?

  /// - Parameter position: where to go on; nil from the start.
  init(_ path: String, settings: SourceSettings, position: SourcePosition?) {
    self.path = path
    self.settings = settings
    numbers = RowNumbers(source: path)
    classes = settings.classes
    self.position = position ?? SourcePosition(path: path)
    if let limit = settings.limit { hasEnded = self.position.rows >= limit }
  }

  /// What to wait for, where the source may still give rows and says when it does.
  var stream: ByteStream? {
    guard !hasEnded else { return nil }
    switch reader {
    case .text(let rows): return rows.stream
    case .redis(let rows): return rows.stream
    case .hdf5, nil: return nil
    }
  }

  /// Rows that are there and not read; nil where that is not known.
  var rowsLeft: Int? {
    switch reader {
    case .hdf5(let rows): rows.rowsLeft
    case .redis(let rows): rows.rowsLeft
    case .text, nil: nil
    }
  }

  /// Bytes of the text that are there and not read; nil where that is not known.
  var bytesLeft: Int? { if case .text(let rows) = reader { rows.bytesLeft() } else { nil } }

  /// The names of the features of the source, and their number, as soon as they are known.
  /// - Throws: `Failure` where the source cannot be read.
  func columns() throws -> (names: [String], count: Int)? {
    guard !hasEnded, try open() else { return nil }
    switch reader {
    case .text(let rows): return try rows.columns().map { ($0, $0.count) }
    case .hdf5(let rows): return (settings.schema.columns, rows.columns)
    case .redis(let rows):
      let columns = try rows.columns()
      if columns == nil, rows.hasEnded { hasEnded = true }
      return columns.map { ($0, $0.count) }
    case nil: return nil
    }
  }

  /// The features have these names, in this order: what each entry of a stream of Redis names for itself.
  func settle(columns: [String]) {
    settled = columns
    if case .redis(let rows) = reader { rows.settle(columns) }
  }

  /// What the user should know since the last time.
  func takeWarnings() -> [String] { if case .redis(let rows) = reader { rows.takeWarnings() } else { [] } }

  /// The rows that are done with are in a checkpoint.
  func acknowledge() { if case .redis(let rows) = reader { rows.acknowledge() } }

  /// Whether the server of the source knows of the last checkpoint, waiting a little for it; true where there is no server.
  func isAcknowledged() -> Bool { if case .redis(let rows) = reader { rows.isAcknowledged() } else { true } }

  /// Takes rows that are there, at most `limit` of them, without waiting; returns their number.
  ///
  /// All of them count as done with from then on.
  /// - Throws: `Failure` where the source cannot be read, or a row is not as it should be and the job wants none of that.
  func take(_ limit: Int, into batch: inout RowBatch) throws -> Int {
    var taken = 0
    var attempts = 0
    isBusy = false
    while attempts < limit, batch.room > 0, !hasEnded, try open(), try fits(columns: batch.columns) {
      if let newcomer {
        guard newcomer.isSettled else { return taken }
        attempts += 1
        if try release(newcomer, into: &batch) { taken += 1 }
        continue
      }
      if let count = takeTogether(limit - attempts, into: &batch) {
        attempts += count
        taken += count
        continue
      }
      attempts += 1
      oneByOne = max(0, oneByOne - 1)
      let (event, time) = try batch.fill { (values, place, target, time) throws -> SourceEvent in
        switch reader {
        case .text(let rows): try rows.next(into: &values, at: place, target: &target, time: &time)
        case .hdf5(let rows): try rows.next(into: &values, at: place, target: &target, time: &time)
        case .redis(let rows): try rows.next(into: &values, at: place, target: &target, time: &time)
        case nil: .nothing
        }
      }
      switch event {
      case .nothing:
        try checkIsThere()
        return taken
      case .end: close()
      case .malformed(let what):
        guard passesRepeated() else { continue }
        try leaveOut(\.malformed, settings.malformed, what)
        note()
      case .row, .unknownClass:
        guard passesRepeated() else { continue }
        let label = unknownLabel(event, &batch)
        if try accepts(batch, label, time: time) {
          guard label == nil else {
            newcomer = label.map { Newcomer(features: batch.nextFeatures, label: $0, arrived: arrived) }
            return taken
          }
          batch.take(arrived: arrived, number: numbers.number(ofRow: position.rows))
          taken += 1
        }
        note()
      }
    }
    isBusy = attempts == limit && !hasEnded
    return taken
  }

  /// Takes rows that lie ready at once, where nothing is to be said of any of them; nil where rows have to be looked at one by one.
  private func takeTogether(_ limit: Int, into batch: inout RowBatch) -> Int? {
    guard oneByOne == 0, sampler == nil, case .hdf5(let rows) = reader else { return nil }
    let left = settings.limit.map { $0 - position.rows } ?? .max
    let count = min(limit, batch.room, left, rows.rowsReady)
    guard count > 0 else { return nil }
    guard
      rows.take(
        count, into: &batch, classes: classes?.count, allowsMissing: settings.incomplete == .impute,
        number: { numbers.number(ofRow: position.rows + $0) })
    else {
      oneByOne = count
      return nil
    }
    position.rows += count
    position.file?.rows += count
    if count == left { hasEnded = true }
    return count
  }

  private var arrived: ContinuousClock.Instant {
    switch reader {
    case .text(let rows): rows.arrived
    case .hdf5(let rows): rows.arrived
    case .redis(let rows): rows.arrived
    case nil: .now
    }
  }

  /// False for a row of a pipe that was done with before a restart.
  private func passesRepeated() -> Bool {
    guard repeated > 0 else { return true }
    repeated -= 1
    return false
  }

  /// A row is done with.
  private func note() {
    position.rows += 1
    position.file?.rows += 1
    switch reader {
    case .text(let rows): position.file?.bytes = rows.offset
    case .redis(let rows):
      position.entry = rows.mark
      position.leftOut.missing = rows.mark?.missing ?? 0
    case .hdf5, nil: break
    }
    if let limit = settings.limit, position.rows >= limit { hasEnded = true }
  }

  // MARK: Rows that are not as they should be

  /// Whether the row that was filled in last is to be learned: now, or once the class `label` is known.
  private func accepts(_ batch: borrowing RowBatch, _ label: ClassLabel?, time: Double) throws -> Bool {
    let target = batch.nextTarget
    guard try isClassAllowed(label) else { return false }
    if let classes, label == nil, !RowBatch.isClass(target, of: classes.count) {
      try leaveOut(\.malformed, settings.malformed, "its class is \(target), not one of 0 to \(classes.count - 1)")
      return false
    }
    guard target.isFinite else {
      try leaveOut(\.malformed, settings.malformed, "its target is \(target)")
      return false
    }
    if settings.schema.time != nil {
      guard time.isFinite else {
        try leaveOut(\.malformed, settings.malformed, "its time is \(time)")
        return false
      }
      let latest = position.latest ?? time
      if time < latest - settings.lateness, settings.late != .learn {
        try leaveOut(\.late, settings.late, "it is of the time \(time), and one of \(latest) was there before")
        return false
      }
      position.latest = max(latest, time)
    }
    if settings.incomplete != .impute, !batch.isNextFinite {
      try leaveOut(\.incomplete, settings.incomplete, "a value is missing, or not finite")
      return false
    }
    return try isSampled(batch)
  }

  /// Whether the sample takes the row that was filled in last.
  private func isSampled(_ batch: borrowing RowBatch) throws -> Bool {
    guard let sampler else { return true }
    guard let takes = sampler.takes(position.rows, target: batch.nextTarget, feature: { batch.nextFeature($0) }) else {
      try leaveOut(\.malformed, settings.malformed, "its weight for the sample is none")
      return false
    }
    if !takes { position.leftOut.unsampled += 1 }
    return takes
  }

  private func leaveOut(
    _ count: WritableKeyPath<RowsLeftOut, Int>, _ policy: SourceSettings.Policy, _ what: String
  ) throws {
    let fault = "\(place) cannot be learned: \(what)"
    guard policy != .fail else {
      throw Failure(
        .invalidData, fault,
        hint: "stream.malformed, stream.incomplete, stream.late and stream.new_classes can leave such rows out")
    }
    if firstFault == nil { firstFault = fault }
    position.leftOut[keyPath: count] += 1
  }

  /// Where the row is that was looked at last.
  private var place: String {
    if case .redis(let rows) = reader, let mark = rows.mark { return "entry \(mark.id) of '\(path)'" }
    return "row \(position.file?.rows ?? position.rows) of '\(position.file?.name ?? path)' (counted from 0)"
  }

  // MARK: Classes that are not known

  /// The class of the next row, which the ranks are to agree on.
  var newClass: ClassLabel? { newcomer.flatMap { $0.isSettled ? nil : $0.label } }

  /// The classes are these from now on, all that are to be added for what the sources told of.
  /// - Parameter predict: the class that the model takes a row for without knowing the new ones.
  func know(_ classes: StreamClasses, predict: ([Float]) throws -> Int) rethrows {
    self.classes = classes
    settings.schema.classes = classes.names
    switch reader {
    case .text(let rows): rows.know(classes: classes.names)
    case .redis(let rows): rows.know(classes: classes.names)
    case .hdf5, nil: break
    }
    if let features = newcomer?.features { newcomer?.settle(predicted: try predict(features)) }
  }

  /// The class of the row that was read last, where it is not known; one that is gets its number.
  private func unknownLabel(_ event: SourceEvent, _ batch: inout RowBatch) -> ClassLabel? {
    guard let classes else { return nil }
    if case .unknownClass(let name) = event {
      guard let number = classes.number(of: .name(name)) else {
        // Behind all that have factors for a sample.
        batch.nextTarget = Float(classes.count)
        return .name(name)
      }
      batch.nextTarget = Float(number)
      return nil
    }
    let target = batch.nextTarget
    guard target >= Float(classes.count), let number = Int(exactly: target) else { return nil }
    return .number(number)
  }

  /// Whether there may be such a class; nil is a class that is known.
  private func isClassAllowed(_ label: ClassLabel?) throws -> Bool {
    guard let label, let classes else { return true }
    guard settings.newClasses != .add || !classes.mayHave(label) else { return true }
    try leaveOut(label)
    return false
  }

  private func leaveOut(_ label: ClassLabel) throws {
    guard let classes else { return }
    let what =
      switch label {
      case .name(let name): "its class is '\(name)', none of those that are known"
      case .number(let number): "its class is \(number), not one of 0 to \(classes.count - 1)"
      }
    let policy: SourceSettings.Policy =
      switch settings.newClasses {
      case .malformed, .add: settings.malformed
      case .skip: .skip
      case .fail: .fail
      }
    let limit = settings.newClasses == .add ? ", and there may be no more than \(settings.mostClasses)" : ""
    try leaveOut(\.malformed, policy, what + limit)
  }

  /// The ranks have agreed: the row is taken with its class, or left out where that may not be.
  private func release(_ newcomer: Newcomer, into batch: inout RowBatch) throws -> Bool {
    defer {
      self.newcomer = nil
      note()
    }
    guard let target = classes?.number(of: newcomer.label) else {
      try leaveOut(newcomer.label)
      return false
    }
    batch.take(newcomer, target: target, number: numbers.number(ofRow: position.rows))
    return true
  }

  // MARK: Opening

  /// Makes sure that there is something to read; false where there is nothing yet, or nothing any more.
  private func open() throws -> Bool {
    if reader != nil { return true }
    let now = ContinuousClock.now
    if let looked, now - looked < Self.lookInterval { return false }
    let isOpen = try openWhatIsThere()
    looked = isOpen ? nil : now
    return isOpen
  }

  private func openWhatIsThere() throws -> Bool {
    guard path != Self.standardInput else {
      openStream(.standardInput)
      return true
    }
    guard !RedisAddress.isAddress(path) else {
      try openServer()
      return true
    }
    guard let status = try FileSystem.status(of: path) else {
      guard settings.follows else {
        throw Failure(
          .missingInput, "the source '\(path)' does not exist", hint: "stream.follow waits for sources that come later")
      }
      return false
    }
    switch status.kind {
    case .directory:
      isDirectory = true
      return try openNext()
    case .other:
      openStream(try ByteStream.open(path))
      return true
    case .regular:
      return try openFile(path)
    }
  }

  private func openStream(_ stream: ByteStream) {
    if settings.resumedPipe == .fromStart { repeated = position.rows }
    reader = .text(
      TextRows(.stream(stream), name: stream.path, schema: settings.schema, format: settings.format, follows: false))
  }

  private func openServer() throws {
    let address: RedisAddress
    do throws(RedisAddress.Fault) {
      address = try RedisAddress(path)
    } catch {
      throw Failure(.invalidJob, "'\(path)' \(error.message)")
    }
    let rows = try RedisRows(
      address, settings: settings.redis, schema: settings.schema, follows: settings.follows, mark: position.entry)
    if let settled { rows.settle(settled) }
    reader = .redis(rows)
  }

  /// Opens the next file of a directory, in the order of their names.
  private func openNext() throws -> Bool {
    let done = Set(position.finished)
    if let name = position.file?.name, !done.contains(name) { return try openFile(name, in: path) }
    for name in try FileSystem.list(path) where !done.contains(name) && isWanted(name) {
      let whole = FileSystem.join(path, name)
      guard let status = try FileSystem.status(of: whole), status.kind == .regular else { continue }
      if settings.follows, Machine.nanosecondsSince1970 - status.modified < Self.settling { return false }
      return try openFile(name, in: path)
    }
    if !settings.follows { hasEnded = true }
    return false
  }

  private func isWanted(_ name: String) -> Bool {
    guard !name.hasPrefix("."), !Self.unfinished.contains(where: { name.hasSuffix($0) }) else { return false }
    return settings.format != nil || SourceFormat(ofName: name) != nil
  }

  private func openFile(_ name: String, in directory: String? = nil) throws -> Bool {
    let whole = directory.map { FileSystem.join($0, name) } ?? name
    let format = settings.format ?? SourceFormat(ofName: name)
    if position.file?.name != name { position.file = SourcePosition.File(name: name) }
    guard let file = position.file else { return false }
    // The files of a directory are complete.
    let follows = settings.follows && directory == nil
    guard format == .hdf5 else {
      let source = try CSVSource.open(whole)
      reader = .text(
        TextRows(
          .file(source), name: whole, schema: settings.schema, format: format, follows: follows,
          start: file.bytes > 0 ? file.bytes : nil))
      return true
    }
    do {
      reader = .hdf5(try HDF5Rows(whole, schema: settings.schema, follows: follows, row: file.rows))
      return true
    } catch {
      // A writer may be making the file right now; a file that has been left alone is as it will stay.
      let modified = try FileSystem.status(of: whole)?.modified ?? 0
      guard follows, Machine.nanosecondsSince1970 - modified < Self.settling else { throw error }
      return false
    }
  }

  /// Whether rows of `columns` features can be read now.
  /// - Throws: `Failure` where the source has others.
  private func fits(columns: Int) throws -> Bool {
    guard !isChecked else { return true }
    var found = columns
    switch reader {
    case .text(let rows):
      guard let names = try rows.columns() else {
        // Without a header there are no rows.
        if rows.hasEnded { close() }
        return false
      }
      found = names.count
    case .hdf5(let rows): found = rows.columns
    case .redis(let rows):
      guard let names = try rows.columns() else {
        if rows.hasEnded { hasEnded = true }
        return false
      }
      found = names.count
    case nil: return false
    }
    guard found == columns else {
      throw Failure(
        .invalidData, "'\(position.file?.name ?? path)' has \(found) columns of features, and the model \(columns)",
        hint: "stream.columns names the columns that are features")
    }
    if !settings.sample.takesAll {
      let names = try self.columns()?.names ?? []
      sampler = RowSampler(settings.sample, source: path, columns: names)
      guard sampler != nil else {
        throw Failure(
          .invalidJob, "sample.weight names '\(settings.sample.weight ?? "")', which is no feature of '\(path)'",
          hint: names.isEmpty ? "stream.columns names the features of HDF5 files" : nil)
      }
    }
    isChecked = true
    return true
  }

  /// Throws where a text that is followed is no longer the one of which rows were learned.
  private func checkIsThere() throws {
    guard settings.follows, !isDirectory, case .text(let rows) = reader, rows.bytesLeft() != nil else { return }
    let now = ContinuousClock.now
    if let checked, now - checked < Self.lookInterval { return }
    checked = now
    let status = try FileSystem.status(of: path)
    if fileNumber == nil { fileNumber = status?.number }
    if let status, status.number == fileNumber, status.bytes >= rows.offset { return }
    let what = status == nil ? "removed" : "replaced or cut"
    throw Failure(
      .invalidData, "'\(path)' was \(what) while it was read, after \(grouped(position.rows)) rows",
      hint: "give a new file a name of its own")
  }

  /// A file, or all there is, is at its end.
  private func close() {
    // A server still hears of the last checkpoint.
    if case .redis = reader {
      hasEnded = true
      return
    }
    reader = nil
    isChecked = false
    guard isDirectory, let name = position.file?.name else {
      hasEnded = true
      return
    }
    position.finished.append(name)
    position.file = nil
  }
}
