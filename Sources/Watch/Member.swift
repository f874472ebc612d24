import Files

/// Where a rank runs.
public struct Member: Equatable, Sendable {
  public let host: String
  public let process: Int

  /// That of this process.
  public static var own: Member { Member(host: Machine.hostName, process: Machine.processIdentifier) }

  public init(host: String, process: Int) {
    self.host = host
    self.process = process
  }

  /// The state of the process in the kernel's letters, where it runs on this host.
  var state: ProcessState? {
    host == Machine.hostName ? Machine.state(ofProcess: process, runsThisProgram: true).map { ProcessState($0) } : nil
  }

  /// The bytes in which ranks tell each other.
  public var encoded: [UInt8] { Array("\(process) \(host)".utf8) }

  public init(encoded bytes: [UInt8]) {
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
    process = parts.first.flatMap { Int($0) } ?? 0
    host = parts.count > 1 ? String(parts[1]) : "?"
  }
}

extension Member: CustomStringConvertible {
  /// As reports name it.
  public var description: String { "host \(host), process \(process)" }
}
