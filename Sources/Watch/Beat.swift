/// What a rank says of itself about once a second.
struct Beat: Equatable {
  var phase: Phase
  /// Inside a call that only other ranks can end.
  var isWaiting: Bool
  /// Updates done.
  var step: Int
  /// Seconds since anything of that changed.
  var idle: Double
  /// Counts what the rank has said: one whose count stands still is stopped, or its host is gone.
  var count: Int

  /// The deadline that it is under.
  var deadline: Phase { isWaiting ? .collective : phase }

  /// The bytes of a record.
  static let bytes = 64

  /// A line of `bytes` bytes.
  var record: [UInt8] {
    // Tenths of seconds; whole numbers have few digits.
    let text = "\(phase.name) \(isWaiting ? "waits" : "works") \(step) \(Int(idle * 10)) \(count)"
    let line = Array(text.utf8.prefix(Self.bytes - 1))
    return line + [UInt8](repeating: UInt8(ascii: " "), count: Self.bytes - 1 - line.count) + [UInt8(ascii: "\n")]
  }

  init(phase: Phase, isWaiting: Bool, step: Int, idle: Double, count: Int) {
    self.phase = phase
    self.isWaiting = isWaiting
    self.step = step
    self.idle = idle
    self.count = count
  }

  /// Nil where there is no whole record: none was written, or one is being written.
  init?(record: some Collection<UInt8>) {
    guard record.count == Self.bytes else { return nil }
    let words = String(decoding: record, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
    guard words.count == 5, let phase = Phase(name: words[0]), let step = Int(words[2]), let tenths = Int(words[3]),
      let count = Int(words[4])
    else { return nil }
    self.init(phase: phase, isWaiting: words[1] == "waits", step: step, idle: Double(tenths) / 10, count: count)
  }
}
