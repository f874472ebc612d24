import Foundation
import Glibc

/// What answers on a socket and is no Redis: each connection gets the same bytes, after the first that it sends, and is closed.
public final class FakeServer: Sendable {
  private let folder: TemporaryDirectory
  private let descriptor: Int32

  public var socket: String { folder.file("s") }

  public init(answering bytes: [UInt8]) throws {
    folder = try TemporaryDirectory("fake")
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = folder.file("s")
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafeBytes(of: &address) { address in
      bind(descriptor, address.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
    }
    guard bound == 0, listen(descriptor, 8) == 0 else { throw RunError(description: "cannot listen on \(path)") }
    self.descriptor = descriptor
    Thread.detachNewThread {
      // Here and nowhere else: until then the number of the socket must not become another's.
      defer { close(descriptor) }
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { return }
        var asked = [UInt8](repeating: 0, count: 1 << 12)
        _ = recv(connection, &asked, asked.count, 0)
        _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // The other side has read all of it, or wants no more.
        shutdown(connection, Int32(SHUT_WR))
        while recv(connection, &asked, asked.count, 0) > 0 {}
        close(connection)
      }
    }
  }

  deinit {
    // Ends the wait for a connection, and with it the thread.
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}
