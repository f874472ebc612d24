import CProcess
import Glibc

/// The machine and the process.
public enum Machine {
  public static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    // The last byte stays 0 whatever the call does.
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The time of day as file systems note it, in nanoseconds since 1970.
  public static var nanosecondsSince1970: Int {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return now.tv_sec * 1_000_000_000 + now.tv_nsec
  }

  public static var processIdentifier: Int { Int(getpid()) }

  /// The path of the program that this process runs.
  public static var programPath: String {
    get throws(FilesError) {
      let link = "/proc/self/exe"
      return try naming(link, "read") { () throws(SystemCall.Failure) in try SystemCall.readlink(link) }
    }
  }

  /// The most memory that the process has had in use so far.
  /// Corresponds to `ru_maxrss` of `getrusage(2)`, which Linux counts in KiB.
  public static var peakMemoryBytes: Int {
    var usage = rusage()
    guard unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return 0 }
    return usage.ru_maxrss * 1_024
  }

  /// The memory of the whole machine.
  public static var physicalMemoryBytes: Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let pageBytes = sysconf(Int32(_SC_PAGESIZE))
    return max(0, pages) * max(0, pageBytes)
  }

  /// The bytes of addresses that the process may have, and those that it has; nil where there is no limit.
  /// Corresponds to `RLIMIT_AS` of `getrlimit(2)` and to `statm` of `proc(5)`.
  public static var addressSpace: (limit: Int, used: Int)? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max,
      let statistics = try? FileSystem.read("/proc/self/statm", limit: 1 << 12),
      let pages = Int(String(decoding: statistics.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    else { return nil }
    return (Int(clamping: limit.rlim_cur), pages * sysconf(Int32(_SC_PAGESIZE)))
  }

  /// The state of a process in the kernel's letters: "R" runs, "S" sleeps, "D" waits for a disk, "T" is stopped; nil where there is no such
  /// process.
  /// - Parameter runsThisProgram: nil, too, where it runs another program than this one: then its number is another's by now.
  /// Corresponds to `stat` of `proc(5)`.
  public static func state(ofProcess process: Int, runsThisProgram: Bool) -> String? {
    guard let other = statistics(ofProcess: process) else { return nil }
    if runsThisProgram, other.program != statistics(ofProcess: processIdentifier)?.program { return nil }
    return other.state
  }

  /// Whether a process that `process` has started still runs, and has not only ended without being asked after.
  /// Corresponds to `stat` of `proc(5)`.
  static func hasRunningChild(process: Int) -> Bool {
    processes.contains { other in
      guard let found = statistics(ofProcess: other) else { return false }
      return found.parent == process && found.state != "Z" && found.state != "X"
    }
  }

  /// The processes that `process` has started, then those that these have, and so on.
  /// Corresponds to `stat` of `proc(5)`.
  public static func descendants(ofProcess process: Int) -> [Int] {
    var children: [Int: [Int]] = [:]
    for other in processes {
      if let parent = statistics(ofProcess: other)?.parent { children[parent, default: []].append(other) }
    }
    var found: [Int] = []
    var generation = [process]
    while !generation.isEmpty {
      generation = generation.flatMap { children[$0] ?? [] }.filter { !found.contains($0) }
      found += generation
    }
    return found
  }

  /// All that run on this machine.
  private static var processes: [Int] { ((try? FileSystem.list("/proc")) ?? []).compactMap { Int($0) } }

  private static func statistics(ofProcess process: Int) -> (program: Substring, state: String, parent: Int)? {
    guard let bytes = try? FileSystem.read("/proc/\(process)/stat", limit: 1 << 12) else { return nil }
    // The second field is the program's name in parentheses and may hold anything.
    let text = String(decoding: bytes, as: UTF8.self)
    guard let begin = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"),
      case let fields = text[end...].split(separator: " ", maxSplits: 3), fields.count == 4, let parent = Int(fields[2])
    else { return nil }
    return (text[begin...end], String(fields[1]), parent)
  }

  /// The processors that this process may run on.
  public static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// How long the calling thread has been on a processor.
  /// Corresponds to `clock_gettime(2)` of `CLOCK_THREAD_CPUTIME_ID`.
  public static var threadTime: Duration {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return .zero }
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// How often the calling thread has left its processor of itself, to wait for something.
  /// Corresponds to `ru_nvcsw` of `getrusage(2)`.
  public static var threadSleeps: Int {
    var usage = rusage()
    // RUSAGE_THREAD, which the header gives only to programs for this system alone.
    return unsafe getrusage(1, &usage) == 0 ? usage.ru_nvcsw : 0
  }

  /// The processors that the process is bound to, or all.
  /// Corresponds to `Cpus_allowed` of `proc(5)`.
  public static var allowedProcessors: Int {
    guard let status = try? FileSystem.read("/proc/self/status", limit: 1 << 16),
      let line = status.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: "Cpus_allowed:".utf8) })
    else { return processors }
    // Hexadecimal digits, a bit for each processor.
    let bits = line.dropFirst("Cpus_allowed:".utf8.count).reduce(0) {
      $0 + (Character(UnicodeScalar($1)).hexDigitValue ?? 0).nonzeroBitCount
    }
    return max(1, bits)
  }

  /// The value of an environment variable, nil if it is not set.
  public static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// The value that an environment variable had when `process` began; nil if it was not set, or nobody may know.
  /// Corresponds to `environ` of `proc(5)`.
  public static func environment(_ name: String, ofProcess process: Int) -> String? {
    guard let bytes = try? FileSystem.read("/proc/\(process)/environ", limit: 1 << 20) else { return nil }
    let start = Array("\(name)=".utf8)
    return bytes.split(separator: 0).first { $0.starts(with: start) }
      .map { String(decoding: $0.dropFirst(start.count), as: UTF8.self) }
  }

  /// The number of the process that has started this one.
  public static var parentProcess: Int { Int(getppid()) }

  /// All variables of the environment as "NAME=value", with some set and others (nil) taken away.
  static func environment(changedBy changes: [String: String?]) -> [String] {
    var variables: [String] = []
    var next = unsafe cprocess_environment()
    while let variable = unsafe next?.pointee {
      let text = unsafe String(cString: variable)
      let name = text.prefix { $0 != "=" }
      if changes[String(name)] == nil { variables.append(text) }
      unsafe next = unsafe next?.successor()
    }
    return variables + changes.compactMap { name, value in value.map { "\(name)=\($0)" } }
  }
}
