public import Files
import HDF5
import Synchronization
import Text

/// Looks into shards in a process of its own, so that a file which makes the HDF5 library crash, compute for ever or ask for all memory
/// hurts nobody else: 100 of the 133 published faults of the library are in the version that clusters have.
///
/// One process looks into all shards of a rank, one after the other; where it dies, another one goes on behind the shard that has
/// killed it. The training then opens what was found sound, in the same way.
public enum ShardInspector {
  /// The word by which the program knows that it is such a process.
  public static let command = "inspect-shards"

  /// What a shard may take, beside a second of computing for each 32 MiB of it and as much memory as it has bytes.
  private static let mostSeconds = 5
  private static let mostBytes = 256 << 20
  /// So many that the names of the files fit on a command line.
  private static let batch = 200
  /// Rows are read on trial up to this size.
  private static let largestRow = 1 << 20

  private static let program = Mutex<String?>(nil)

  /// Names the program that answers `command` by `serve`. Without one, shards are looked into by the calling process.
  public static func use(program path: String?) { program.withLock { $0 = path } }

  /// Says of each shard what it holds; what is wrong with it is part of the description.
  ///
  /// Parameters as in ``ShardDescription/attempt(path:features:targets:scanLabels:trusted:)``.
  public static func describe(
    _ paths: [String], features: String, targets: String?, scanLabels: Bool, trusted: Bool = false
  ) throws(FilesError) -> [ShardDescription] {
    guard let program = program.withLock({ $0 }) else {
      return paths.map {
        ShardDescription.attempt(
          path: $0, features: features, targets: targets, scanLabels: scanLabels, trusted: trusted)
      }
    }
    var found: [ShardDescription] = []
    while found.count < paths.count {
      let rest = Array(paths[found.count...].prefix(batch))
      let words = [
        program, command, scanLabels ? "labels" : "-", trusted ? "trusted" : "-", features,
        targets == nil ? "-" : "targets", targets ?? "",
      ]
      let child = try ChildProcess(
        // The backtracer of a crash takes seconds; a BLAS of many threads would take the memory that is counted.
        words + rest, environment: ["SWIFT_BACKTRACE": "enable=no", "OPENBLAS_NUM_THREADS": "1"], captured: [.output])
      let (descriptions, end) = try collect(child)
      found += descriptions.prefix(rest.count)
      guard descriptions.count < rest.count else { continue }
      found.append(
        ShardDescription(
          path: rest[descriptions.count], features: features, targets: targets, isTrusted: trusted,
          failure: failure(of: rest[descriptions.count], end)))
    }
    return found
  }

  /// Reads descriptions until the process has ended.
  private static func collect(_ child: ChildProcess) throws(FilesError) -> ([ShardDescription], ChildProcess.End) {
    var bytes: [UInt8] = []
    while true {
      let more = try child.output.read()
      if more.isEmpty { break }
      bytes += more
    }
    var descriptions: [ShardDescription] = []
    var rest = bytes[...]
    while let length = length(at: rest), rest.count >= 8 + length {
      let start = rest.startIndex + 8
      guard let description = try? ShardDescription(decoding: Array(rest[start..<start + length])) else { break }
      descriptions.append(description)
      rest = rest[(start + length)...]
    }
    return (descriptions, try child.wait())
  }

  /// The eight bytes before each description.
  private static func length(at bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= 8 else { return nil }
    let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length < 1 << 30 ? Int(length) : nil
  }

  private static func failure(of path: String, _ end: ChildProcess.End) -> DataError {
    // SIGXCPU, which Files does not name.
    let tookTooLong = end == .killed(signal: 24)
    let what = tookTooLong ? "takes too long" : "crashes the HDF5 library"
    let how =
      switch end {
      case .killed(let signal): "signal \(signal)"
      case .exited(let code): "exit code \(code)"
      }
    return DataError(
      .invalid, "'\(path)' \(what) (\(how) in a process that looked into it)",
      hint: "the file is damaged or made to do harm: see what h5dump -H says to it, on a machine that may crash")
  }
}

// The process itself.
extension ShardInspector {
  /// Looks into the shards that `words`, what stands behind `command`, name, and writes what they hold to standard output.
  public static func serve(_ words: [String]) -> Int32 {
    guard words.count >= 5 else { return 64 }
    let targets = words[3] == "targets" ? words[4] : nil
    do {
      try ResourceLimits.forbidCore()
      // The other ranks' messages are not to stand among what a dying library says.
      StandardStream.error.discard()
      for path in words[5...] {
        try limit(to: (try? FileSystem.status(of: path))?.bytes ?? 0)
        let description = ShardDescription.attempt(
          path: path, features: words[2], targets: targets, scanLabels: words[0] == "labels",
          trusted: words[1] == "trusted")
        if description.failure == nil { tryRows(of: description) }
        let bytes = description.encoded()
        let length = (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        guard StandardStream.output.write(length + bytes) else { return 74 }
      }
      return 0
    } catch {
      return 70
    }
  }

  private static func limit(to fileBytes: Int) throws(FilesError) {
    try ResourceLimits.allowMemory(bytes: mostBytes + fileBytes)
    try ResourceLimits.allowProcessor(seconds: mostSeconds + fileBytes >> 25)
  }

  /// Reads the first and the last row: what is wrong with filters and types shows only there. An error is left to the training, which
  /// says what it then was about.
  private static func tryRows(of description: ShardDescription) {
    guard description.rows > 0, let file = try? HDF5File.open(description.path, trusted: description.isTrusted)
    else { return }
    for name in [description.features, description.targets].compactMap({ $0 }) {
      guard let set = try? file.dataset(named: name), let width = rowSize(of: set.shape), width <= largestRow else {
        continue
      }
      var values = [Double](repeating: 0, count: width)
      for row in [0, description.rows - 1] {
        var span = values.mutableSpan
        try? set.readConverting(rows: row..<row + 1, into: &span)
      }
    }
  }
}
