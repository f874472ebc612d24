/// What a rank sends to other ranks.
public struct Traffic: Equatable, Sendable {
  public var messages: Int
  public var bytes: Int

  public init(messages: Int = 0, bytes: Int = 0) {
    self.messages = messages
    self.bytes = bytes
  }

  public static func + (first: Traffic, second: Traffic) -> Traffic {
    Traffic(messages: first.messages + second.messages, bytes: first.bytes + second.bytes)
  }

  public static func += (sum: inout Traffic, other: Traffic) { sum = sum + other }
}
