import CHiredis
import Glibc

/// A connection to a server; for one thread at a time.
///
/// Corresponds to `redisContext` of hiredis.
@safe public final class RedisConnection {
  private let server: String
  private let context: UnsafeMutablePointer<redisContext>
  /// Where hiredis lays down the reply that is coming.
  private let arriving: UnsafeMutablePointer<chiredis_parts>

  /// A larger reply is none that was asked for.
  private static let mostBytes = 1 << 28
  private static let mostParts = 1 << 24

  /// Connects, and chooses the data base; `password` goes with the address's user.
  /// - Parameters:
  ///   - timeout: for connecting.
  ///   - patience: for an answer, from one byte to the next.
  /// - Throws: `RedisError`.
  public init(
    to address: RedisAddress, password: String?, timeout: Duration, patience: Duration
  ) throws(RedisError) {
    server = address.server
    let connected: UnsafeMutablePointer<redisContext>? =
      switch address.place {
      case .host(let name, let port): unsafe redisConnectWithTimeout(name, Int32(port), timeval(timeout))
      case .socket(let path): unsafe redisConnectUnixWithTimeout(path, timeval(timeout))
      }
    guard let context = unsafe connected else {
      throw RedisError(.away, "cannot connect to \(address.server): memory is missing")
    }
    guard unsafe context.pointee.err == REDIS_OK else {
      let why = unsafe Self.why(context)
      unsafe redisFree(context)
      throw RedisError(.away, "cannot connect to \(address.server): \(why)")
    }
    unsafe self.context = unsafe context
    unsafe arriving = .allocate(capacity: 1)
    unsafe arriving.initialize(to: chiredis_parts())
    unsafe arriving.pointee.most_bytes = Int64(Self.mostBytes)
    unsafe arriving.pointee.most_parts = Int64(Self.mostParts)
    unsafe chiredis_collect(context, arriving)
    unsafe redisSetTimeout(context, timeval(patience))
    // A host that has gone without a word is noticed. Sockets of one machine know no such thing, and asking for it is an error.
    if case .host = address.place { unsafe redisEnableKeepAlive(context) }
    try introduce(address, password)
  }

  deinit {
    unsafe redisFree(context)
    unsafe free(arriving.pointee.parts)
    unsafe free(arriving.pointee.bytes)
    unsafe arriving.deallocate()
  }

  private func introduce(_ address: RedisAddress, _ password: String?) throws(RedisError) {
    if let password {
      do throws(RedisError) {
        _ = try ask(["AUTH"] + (address.user.map { [$0] } ?? []) + [password])
      } catch {
        // As redis-cli does: a password that nobody asks for does no harm.
        guard error.kind == .refused("ERR"), error.description.contains("without any password configured") else {
          throw error
        }
      }
    }
    let reply = try ask(["SELECT", "\(address.database)"])
    guard reply.kind(0) == .status else { throw foreign("it answers SELECT with something else than a status") }
  }

  /// Sends a command and waits for its answer.
  /// - Throws: `RedisError`, also where the server refuses.
  public func ask(_ words: [String]) throws(RedisError) -> RedisReply {
    try send(words)
    let reply = try receive()
    guard reply.kind(0) == .error else { return reply }
    throw refusal(reply)
  }

  /// The error that a reply of the kind `error` is.
  public func refusal(_ reply: RedisReply) -> RedisError {
    let text = reply.text(0) ?? ""
    let word = text.split(separator: " ", maxSplits: 1).first.map(String.init) ?? ""
    return RedisError(.refused(word), "\(server) answers: \(Self.printable(text))")
  }

  /// What a server writes is not let loose on a terminal.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
  }

  /// Sends a command; its answer comes in its turn.
  public func send(_ words: [String]) throws(RedisError) {
    let bytes = words.flatMap { Array($0.utf8) }
    let lengths = words.map(\.utf8.count)
    let code = unsafe bytes.withUnsafeBytes { all in
      var start = 0
      // An empty array has no base.
      let base = unsafe all.baseAddress ?? UnsafeRawPointer(arriving)
      var pointers: [UnsafePointer<CChar>?] = unsafe []
      for length in lengths {
        unsafe pointers.append((base + start).assumingMemoryBound(to: CChar.self))
        start += length
      }
      return unsafe redisAppendCommandArgv(context, Int32(words.count), &pointers, lengths)
    }
    guard code == REDIS_OK else { throw lost() }
    var isDone: Int32 = 0
    repeat {
      guard unsafe redisBufferWrite(context, &isDone) == REDIS_OK else { throw lost() }
    } while isDone == 0
  }

  /// The next answer, which may be one of the kind `error`.
  public func receive() throws(RedisError) -> RedisReply {
    while true {
      var found: UnsafeMutableRawPointer?
      guard unsafe redisGetReplyFromReader(context, &found) == REDIS_OK else { throw lost() }
      if unsafe found != nil { return take() }
      guard unsafe chiredis_waiting(context) <= Self.mostBytes else { throw foreign("its answer has no end") }
      guard unsafe redisBufferRead(context) == REDIS_OK else { throw lost() }
    }
  }

  /// The reply that has come as a whole.
  private func take() -> RedisReply {
    let all = unsafe arriving.pointee
    unsafe arriving.pointee.count = 0
    unsafe arriving.pointee.byte_count = 0
    let parts = unsafe UnsafeBufferPointer(start: all.parts, count: Int(all.count)).map { part in
      RedisReply.Part(Self.kind(part.kind), value: Int(part.value), count: Int(part.count))
    }
    let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: all.bytes, count: Int(all.byte_count)))
    return RedisReply(parts: parts, bytes: bytes)
  }

  private static func kind(_ number: Int64) -> RedisReply.Kind {
    switch Int(number) {
    case chiredis_array: .array
    case chiredis_integer: .integer
    case chiredis_nil: .nothing
    case chiredis_status: .status
    case chiredis_error: .error
    default: .text
    }
  }

  private func foreign(_ what: String) -> RedisError {
    RedisError(.foreign, "what answers at \(server) is no Redis: \(what)")
  }

  /// The error that hiredis has noted; nothing can be done with the connection after it.
  private func lost() -> RedisError {
    let why = unsafe Self.why(context)
    return unsafe context.pointee.err == REDIS_ERR_PROTOCOL || context.pointee.err == REDIS_ERR_OOM
      ? foreign(why) : RedisError(.away, "\(server) has gone: \(why)")
  }

  private static func why(_ context: UnsafeMutablePointer<redisContext>) -> String {
    let isLate = unsafe context.pointee.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK)
    if isLate { return "it does not answer" }
    let text = unsafe withUnsafeBytes(of: &context.pointee.errstr) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return printable(text)
  }
}

extension timeval {
  fileprivate init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
  }
}
