/// Where a server is, and which of its keys is meant: `redis://user@host:6379/0?key=sensors`, or
/// `redis+unix:///run/redis.sock?db=0&key=sensors`.
public struct RedisAddress: Equatable, Sendable {
  public enum Place: Equatable, Sendable {
    case host(String, port: Int)
    case socket(String)
  }

  /// What is wrong with an address, in words that complete "'...' ".
  public struct Fault: Error, Equatable, Sendable {
    public let message: String
  }

  public let place: Place
  /// Nil for the default user.
  public let user: String?
  public let database: Int
  public let key: String

  private static let network = "redis://"
  private static let local = "redis+unix://"
  private static let defaultPort = 6379

  /// Whether `text` is meant as such an address.
  public static func isAddress(_ text: String) -> Bool { text.hasPrefix(network) || text.hasPrefix(local) }

  /// - Throws: `Fault` where something is missing, or makes no sense.
  public init(_ text: String) throws(Fault) {
    let isLocal = text.hasPrefix(Self.local)
    guard isLocal || text.hasPrefix(Self.network) else {
      throw Fault(message: "begins with neither redis:// nor redis+unix://")
    }
    let rest = text.dropFirst(isLocal ? Self.local.count : Self.network.count)
    let halves = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var parameters = try Self.parameters(halves.count > 1 ? halves[1] : "")
    let authority: Substring
    let path: Substring
    if let slash = halves[0].firstIndex(of: "/") {
      (authority, path) = (halves[0][..<slash], halves[0][slash...])
    } else {
      (authority, path) = (halves[0], "")
    }
    let (user, host) = try Self.user(authority)
    self.user = user
    if isLocal {
      guard host.isEmpty, path.count > 1 else {
        throw Fault(message: "needs the path of a socket behind redis+unix://")
      }
      place = .socket(try Self.decoded(path))
    } else {
      place = try Self.host(host)
      if path.count > 1 {
        guard parameters["db"] == nil else { throw Fault(message: "names its data base twice") }
        parameters["db"] = try Self.decoded(path.dropFirst())
      }
    }
    let number = parameters.removeValue(forKey: "db") ?? "0"
    guard let database = Int(number), database >= 0 else {
      throw Fault(message: "has '\(number)' where the number of a data base is expected")
    }
    self.database = database
    guard let key = parameters.removeValue(forKey: "key"), !key.isEmpty else {
      throw Fault(message: "needs ?key=NAME with the key of a stream")
    }
    self.key = key
    if let unknown = parameters.keys.min() { throw Fault(message: "has an unknown '\(unknown)'; it takes key and db") }
  }

  /// The server, for people.
  public var server: String {
    switch place {
    case .host(let name, let port): name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
    case .socket(let path): path
    }
  }

  private static func user(_ authority: Substring) throws(Fault) -> (String?, Substring) {
    guard let at = authority.lastIndex(of: "@") else { return (nil, authority) }
    let user = authority[..<at]
    guard !user.contains(":") else {
      throw Fault(message: "holds a password, which would be copied into the run")
    }
    return (user.isEmpty ? nil : try decoded(user), authority[authority.index(after: at)...])
  }

  private static func host(_ text: Substring) throws(Fault) -> Place {
    var name = text
    var port: Substring = ""
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      name = text[text.index(after: text.startIndex)..<end]
      port = text[text.index(after: end)...]
    } else if let colon = text.lastIndex(of: ":") {
      name = text[..<colon]
      port = text[colon...]
    }
    guard port.isEmpty || port.hasPrefix(":"), let number = port.count > 1 ? Int(port.dropFirst()) : defaultPort,
      (1...65_535).contains(number)
    else { throw Fault(message: "has '\(port.dropFirst())' where a port is expected") }
    guard !name.isEmpty else { throw Fault(message: "names no host") }
    return .host(String(name), port: number)
  }

  private static func parameters(_ text: Substring) throws(Fault) -> [String: String] {
    var found: [String: String] = [:]
    for part in text.split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = try decoded(halves[0])
      guard halves.count == 2 else { throw Fault(message: "has '\(name)' without a value") }
      guard found.updateValue(try decoded(halves[1]), forKey: name) == nil else {
        throw Fault(message: "names '\(name)' twice")
      }
    }
    return found
  }

  /// `text` with what stands for bytes that addresses cannot hold (RFC 3986, section 2.1).
  private static func decoded(_ text: Substring) throws(Fault) -> String {
    guard text.contains("%") else { return String(text) }
    let coded = Array(text.utf8)
    var bytes: [UInt8] = []
    var place = 0
    while place < coded.count {
      guard coded[place] == UInt8(ascii: "%") else {
        bytes.append(coded[place])
        place += 1
        continue
      }
      let digits = String(decoding: coded[min(place + 1, coded.count)..<min(place + 3, coded.count)], as: UTF8.self)
      guard digits.utf8.count == 2, let byte = UInt8(digits, radix: 16) else {
        throw Fault(message: "has a '%' that two hexadecimal digits do not follow")
      }
      bytes.append(byte)
      place += 3
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Fault(message: "is no UTF-8") }
    return text
  }
}
