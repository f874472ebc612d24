/// When lines of the log and checkpoints of a stream fall due, by rows and by the clock.
struct StreamSchedule {
  private let logRows: Int
  private let checkpointRows: Int
  private let checkpointSeconds: Double

  private var lastLog = ContinuousClock.now
  private var loggedRows: Int
  private var lastSave = ContinuousClock.now
  private var savedRows: Int

  /// - Parameter rows: that have been learned, logged and saved before.
  init(_ job: StreamJob, rows: Int) {
    logRows = job.logRows
    checkpointRows = job.checkpointRows
    checkpointSeconds = job.checkpointSeconds
    loggedRows = rows
    savedRows = rows
  }

  /// The first row follows.
  mutating func begin() { (lastLog, lastSave) = (.now, .now) }

  /// Whether a line is due after `rows` rows; without a number of rows there is one a second.
  func isLogDue(_ rows: Int, _ now: ContinuousClock.Instant) -> Bool {
    guard rows > loggedRows else { return false }
    return logRows > 0 ? rows - loggedRows >= logRows : now - lastLog >= .seconds(1)
  }

  func isCheckpointDue(_ rows: Int, _ now: ContinuousClock.Instant) -> Bool {
    guard rows > savedRows else { return false }
    let isTime = checkpointSeconds > 0 && now - lastSave >= .seconds(checkpointSeconds)
    return isTime || checkpointRows > 0 && rows - savedRows >= checkpointRows
  }

  /// Rows from `rows` on until the next line or checkpoint that falls due by rows; one at least.
  func rowsUntilDue(_ rows: Int) -> Int {
    let log = logRows > 0 ? logRows - (rows - loggedRows) : .max
    let checkpoint = checkpointRows > 0 ? checkpointRows - (rows - savedRows) : .max
    return max(1, min(log, checkpoint))
  }

  /// A line is written.
  /// - Returns: whether rows are new in it: a stream that was at its end already when it was resumed has its last line.
  mutating func noteLog(_ rows: Int) -> Bool {
    lastLog = .now
    defer { loggedRows = rows }
    return rows > loggedRows
  }

  mutating func noteCheckpoint(_ rows: Int) {
    savedRows = rows
    lastSave = .now
  }

  /// A checkpoint could not be written: the next one falls due by time as after one that was.
  mutating func noteFailedCheckpoint() { lastSave = .now }
}
