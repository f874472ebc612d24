public import MPI

/// Decide together, fail together: a failure that only some ranks can see is known to all before the next collective.
///
/// Each function here is collective. The failure that it throws is the same on every rank and is marked as shared.
public enum Agreement {
  /// Runs `body` on rank 0 alone; every rank gets its bytes, or its failure.
  public static func fromRoot(_ world: borrowing some Ranks & ~Copyable, _ body: () throws -> [UInt8]) throws -> [UInt8]
  {
    var message: [UInt8] = []
    if world.rank == 0 {
      do {
        message = [0] + (try body())
      } catch {
        message = encode(Failure(error))
      }
    }
    message = try world.broadcast(message, root: 0)
    guard message.first == 0 else { throw decode(message) }
    return Array(message.dropFirst())
  }

  /// Runs `body` on every rank; every rank gets the bytes of all, by rank, or the failure of the lowest rank that failed.
  public static func gathering(_ world: borrowing some Ranks & ~Copyable, _ body: () throws -> [UInt8]) throws
    -> [[UInt8]]
  {
    var message: [UInt8]
    do {
      message = [0] + (try body())
    } catch {
      message = encode(Failure(error))
    }
    let messages = try world.allGather(message)
    if let failed = messages.first(where: { $0.first != 0 }) { throw decode(failed) }
    return messages.map { Array($0.dropFirst()) }
  }

  /// Runs `body` on every rank; all go on, or all throw the failure of the lowest rank that failed.
  public static func everywhere(_ world: borrowing some Ranks & ~Copyable, _ body: () throws -> Void) throws {
    _ = try gathering(world) {
      try body()
      return []
    }
  }

  /// Runs `body`, which does the same on every rank because it depends on nothing but what all ranks share.
  public static func alike<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch {
      var failure = Failure(error)
      failure.isShared = true
      throw failure
    }
  }

  // A failure travels as its exit code, the length of its message, its message and its hint.
  private static func encode(_ failure: Failure) -> [UInt8] {
    let message = Array(failure.message.utf8)
    let hint: [UInt8] = failure.hint.map { [1] + Array($0.utf8) } ?? [0]
    let length = littleEndian(message.count)
    return [UInt8(failure.code.rawValue)] + length + message + hint
  }

  private static func littleEndian(_ count: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
  }

  private static func decode(_ bytes: [UInt8]) -> Failure {
    let code = ExitCode(rawValue: Int32(bytes[0])) ?? .internalError
    let length = (0..<4).reduce(0) { $0 | Int(bytes[1 + $1]) << (8 * $1) }
    let message = String(decoding: bytes[5..<5 + length], as: UTF8.self)
    let rest = bytes[(5 + length)...]
    let hint = rest.first == 1 ? String(decoding: rest.dropFirst(), as: UTF8.self) : nil
    return Failure(code, message, hint: hint, isShared: true)
  }
}
