import Foundation
import Glibc

/// A Redis of a test's own, on a socket in a folder of its own, that keeps every entry on the disk before it says that it has it.
public final class RedisServer {
  /// Whether there is a server to start. Debian's redis-tools has it, under the name of a tool that checks files.
  public static let isAvailable = program != nil

  private static let program: String? = {
    guard find("redis-cli") != nil else { return nil }
    return find("redis-server") ?? find("redis-check-rdb")
  }()

  private static func find(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return (folders + ["/usr/bin"]).map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  private let folder: TemporaryDirectory
  private let options: [String]
  private var running: RunningProgram?

  /// - Parameter options: as redis-server takes them: `["--requirepass", "secret"]`.
  public init(_ options: [String] = []) throws {
    folder = try TemporaryDirectory("redis")
    self.options = options
    try start()
  }

  /// A port of this machine that nobody listened to a moment ago, outside the range that the kernel hands out: ranks get theirs from there.
  public static func freePort() -> Int {
    while true {
      let port = UInt16.random(in: 16_000..<32_000)
      let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      let bound = withUnsafeBytes(of: &address) { bytes in
        bind(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
      }
      if bound == 0 { return Int(port) }
    }
  }

  public var socket: String { folder.file("s") }

  /// The source that a stream of this server is.
  public func source(_ key: String) -> String { "redis+unix://\(socket)?key=\(key)" }

  /// Starts the server with what it had kept, and waits until it answers.
  public func start() throws {
    guard let program = Self.program else { throw RunError(description: "no redis-server") }
    let settings =
      ["--port", "0", "--unixsocket", socket, "--dir", folder.path, "--save", ""]
      + ["--appendonly", "yes", "--appendfsync", "always"] + options
    let words = settings.map { "'\($0)'" }.joined(separator: " ")
    // The program goes by the name that it is called by.
    let running = try Run.start("bash", ["-c", "exec -a redis-server '\(program)' \(words)"])
    self.running = running
    let answers = running.wait { [self] in
      guard let answer = try? Run.program("redis-cli", ["-s", socket, "PING"]).standardOutput else { return false }
      return answer.contains("PONG") || answer.contains("NOAUTH")
    }
    guard answers else { throw RunError(description: "redis-server does not start: \(running.outputSoFar)") }
  }

  /// Ends it at once, as a power cut does.
  public func kill() {
    guard let running else { return }
    running.send(SIGKILL)
    _ = running.wait()
    self.running = nil
  }

  /// Stops its process, or lets it go on.
  public func pause(_ pauses: Bool) { running?.send(pauses ? SIGSTOP : SIGCONT) }

  /// Takes away what it has kept on the disk. Only where it does not run.
  public func forget() throws {
    for name in try folder.names() where name != "s" {
      try FileManager.default.removeItem(atPath: folder.file(name))
    }
  }

  /// Asks it as `redis-cli` does; returns what it answers.
  @discardableResult
  public func ask(_ words: String...) throws -> String {
    try Run.program("redis-cli", ["-s", socket] + words).standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Adds entries of fields, `0-1`, `0-2` and so on after the first `number`.
  public func add(_ entries: [[(String, String)]], to key: String, after number: Int = 0) throws {
    var text = ""
    for (index, fields) in entries.enumerated() {
      let words = ["XADD", key, "0-\(number + index + 1)"] + fields.flatMap { [$0.0, $0.1] }
      text += "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }
    let result = try Run.program("redis-cli", ["-s", socket, "--pipe"], input: text)
    guard result.standardOutput.contains("errors: 0") else { throw RunError(description: "\(result)") }
  }

  deinit { kill() }
}
