import Glibc
import Redis
import TestSupport
import Testing

/// Whatever answers, a connection gives replies or an error.
@Suite(.serialized) struct ConnectionTests {
  private static let noSignal: Void = { signal(SIGPIPE, SIG_IGN) }()

  private func connect(_ socket: String, password: String? = nil) throws(RedisError) -> RedisConnection {
    Self.noSignal
    guard let address = try? RedisAddress("redis+unix://\(socket)?key=x") else { throw RedisError(.foreign, socket) }
    return try RedisConnection(to: address, password: password, timeout: .seconds(60), patience: .seconds(60))
  }

  /// What comes of SELECT, which is answered by "+OK", and of one question more, which `answer` is to.
  private func answer(_ answer: [UInt8]) throws -> Result<RedisReply, RedisError> {
    let server = try FakeServer(answering: Array("+OK\r\n".utf8) + answer)
    return withExtendedLifetime(server) {
      do throws(RedisError) {
        return .success(try connect(server.socket).ask(["ANYTHING"]))
      } catch {
        return .failure(error)
      }
    }
  }

  @Test func repliesAreTrees() throws {
    let text = "*5\r\n:7\r\n*2\r\n$4\r\nname\r\n$6\r\nva\r\nue\r\n$-1\r\n*-1\r\n*2\r\n+yes\r\n*0\r\n"
    let reply = try answer(Array(text.utf8)).get()
    #expect(reply.count(0) == 5 && reply.integer(1) == 7 && reply.text(3) == "name" && reply.text(4) == "va\r\nue")
    #expect(reply.kind(5) == .nothing && reply.kind(6) == .nothing && reply.kind(8) == .status && reply.count(9) == 0)
    #expect(reply.end(of: 0) == 10 && reply.end(of: 2) == 5 && reply.member("name", of: 2) == 4)
    #expect(reply.text(99) == nil && reply.member("x") == nil && reply.end(of: 99) == 99)
  }

  @Test(arguments: [
    "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "\0\0\0\u{1}", "*99999999999999999999\r\n",
    "$99999999999999999999\r\n", "*-5\r\n", "$-7\r\n", "$x\r\n", ":12a\r\n",
    String(repeating: "*1\r\n", count: 100),
  ])
  func whatIsNoRedis(text: String) throws {
    guard case .failure(let error) = try answer(Array(text.utf8)) else {
      Issue.record("'\(text)' is a reply")
      return
    }
    #expect(error.kind == .foreign && !error.isPassing, "\(text): \(error)")
  }

  /// An answer that promises more than comes takes no memory for it.
  @Test(arguments: ["*2147483647\r\n:1\r\n", "$536870912\r\nabc", "*3\r\n$3\r\nabc\r\n", "", "*1"])
  func answersThatEnd(text: String) throws {
    guard case .failure(let error) = try answer(Array(text.utf8)) else {
      Issue.record("'\(text)' is a reply")
      return
    }
    #expect(error.kind == .away && error.isPassing, "\(text): \(error)")
  }

  @Test func refusals() throws {
    let loading = try answer(Array("-LOADING Redis is \u{1B}[31mloading\r\n".utf8))
    guard case .failure(let error) = loading else { return #expect(Bool(false)) }
    #expect(error.kind == .refused("LOADING") && error.isPassing && !error.description.contains("\u{1B}"), "\(error)")
    #expect(throws: RedisError.self) { try connect("/nowhere/at/all") }
  }

  /// Replies with bytes changed at random, cut or repeated are replies or errors.
  @Test func damagedReplies() throws {
    let sound = Array(
      "*1\r\n*2\r\n$1\r\nk\r\n*2\r\n*2\r\n$3\r\n0-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n0-2\r\n*0\r\n".utf8)
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<300 {
      var bytes = sound
      for _ in 0...Int.random(in: 0...2, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[place] = Array("*$:+-019\r\n".utf8).randomElement(using: &generator)!
        case 2: bytes.removeSubrange(place...)
        default: bytes.insert(contentsOf: sound, at: place)
        }
        if bytes.isEmpty { bytes = [0x2A] }
      }
      guard case .success(let reply) = try answer(bytes) else { continue }
      // Nothing that is asked of it is a trap.
      for index in -1...reply.parts.count {
        _ = (reply.text(index), reply.integer(index), reply.member("k", of: index), reply.kind(index))
        if index >= 0 { _ = reply.end(of: index) }
      }
    }
  }

  @Test(.enabled(if: RedisServer.isAvailable, "needs the redis-tools of Scripts/setup"))
  func passwords() throws {
    let server = try RedisServer(["--requirepass", "secret"])
    #expect(throws: RedisError.self) { try connect(server.socket) }
    do {
      _ = try connect(server.socket, password: "other")
    } catch {
      #expect(error.kind == .refused("WRONGPASS") && !error.description.contains("other"), "\(error)")
    }
    let reply = try connect(server.socket, password: "secret").ask(["PING"])
    #expect(reply.text(0) == "PONG")
    // One that nobody asks for does no harm, as with redis-cli.
    let open = try RedisServer()
    #expect(try connect(open.socket, password: "secret").ask(["ECHO", "a b"]).text(0) == "a b")
    withExtendedLifetime((server, open)) {}
  }

  @Test(.enabled(if: RedisServer.isAvailable, "needs the redis-tools of Scripts/setup"))
  func overTheNetwork() throws {
    let port = RedisServer.freePort()
    let server = try RedisServer(["--port", "\(port)", "--bind", "127.0.0.1"])
    let address = try RedisAddress("redis://127.0.0.1:\(port)/2?key=x")
    let connection = try RedisConnection(to: address, password: nil, timeout: .seconds(60), patience: .seconds(60))
    _ = try connection.ask(["XADD", "x", "1-1", "a", "1"])
    #expect(try server.ask("-n", "2", "XLEN", "x") == "1")
    server.kill()
    #expect(throws: RedisError.self) { try connection.ask(["PING"]) }
    let patience = Duration.milliseconds(300)
    do {
      _ = try RedisConnection(to: address, password: nil, timeout: patience, patience: patience)
      Issue.record("nobody is there")
    } catch {
      #expect(error.isPassing && error.description.contains("127.0.0.1:\(port)"), "\(error)")
    }
  }
}
