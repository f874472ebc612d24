import CProcess
import Glibc

/// What this process may take from now on. For a process that does what may go wrong for another.
public enum ResourceLimits {
  /// Lets the process map `bytes` more than it has mapped now; allocations beyond fail.
  /// Corresponds to `RLIMIT_AS` of `setrlimit(2)`.
  public static func allowMemory(bytes: Int) throws(FilesError) {
    let limit = try mappedBytes() + bytes
    try set("memory") { cprocess_limit_addresses(rlim_t(limit)) }
  }

  /// Lets the process compute for `seconds` more; it is killed by SIGXCPU then.
  /// Corresponds to `RLIMIT_CPU` of `setrlimit(2)`.
  public static func allowProcessor(seconds: Int) throws(FilesError) {
    var used = rusage()
    guard unsafe getrusage(RUSAGE_SELF.rawValue, &used) == 0 else { throw failure("computing time", errno) }
    let limit = used.ru_utime.tv_sec + used.ru_stime.tv_sec + seconds
    try set("computing time") { cprocess_limit_processor(rlim_t(limit)) }
  }

  /// A crash of the process leaves no file.
  public static func forbidCore() throws(FilesError) {
    try set("core files") { cprocess_limit_core(0) }
  }

  /// The first number of `/proc/self/statm`, in pages.
  private static func mappedBytes() throws(FilesError) -> Int {
    let text = String(decoding: try FileSystem.read("/proc/self/statm", limit: 1_000), as: UTF8.self)
    guard let pages = text.split(separator: " ").first.flatMap({ Int($0) }) else { throw failure("memory", EINVAL) }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  private static func set(_ what: String, _ body: () -> Int32) throws(FilesError) {
    if body() != 0 { throw failure(what, errno) }
  }

  private static func failure(_ what: String, _ code: Int32) -> FilesError {
    FilesError(action: "limit", call: "setrlimit", path: what, code: code)
  }
}
