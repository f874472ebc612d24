internal import Data
internal import MPI

// What goes wrong on one rank is known to all before the next collective.
extension Ranks where Self: ~Copyable {
  /// Runs `body` on every rank; all go on, or all throw the error of the lowest rank that failed. Collective.
  borrowing func together(_ body: () throws(PreparationError) -> Void) throws {
    var failure: PreparationError?
    do throws(PreparationError) { try body() } catch { failure = error }
    try agree(on: failure)
  }

  /// Throws the error of the lowest rank that has one, on all ranks. Collective.
  borrowing func agree(on failure: PreparationError?) throws {
    for message in try allGather(failure?.encoded() ?? []) where !message.isEmpty {
      throw try PreparationError(decoding: message)
    }
  }

  /// What `body` makes on rank 0, on every rank; or its error. Collective.
  borrowing func fromRoot(_ body: () throws(PreparationError) -> [UInt8]) throws -> [UInt8] {
    var message: [UInt8] = []
    if rank == 0 {
      do throws(PreparationError) { message = [0] + (try body()) } catch { message = [1] + error.encoded() }
    }
    message = try broadcast(message, root: 0)
    let content = Array(message.dropFirst())
    guard message.first == 0 else { throw try PreparationError(decoding: content) }
    return content
  }

  /// What all ranks have, put together in the order of the ranks, on every rank. Collective.
  ///
  /// No rank ever holds more than two of the parts: they are put together in pairs, those in pairs again.
  /// - Parameter merge: puts together what ranks before and ranks behind them have.
  borrowing func fold(_ own: [UInt8], _ merge: (_ before: [UInt8], _ behind: [UInt8]) throws -> [UInt8]) throws
    -> [UInt8]
  {
    var part = own
    var distance = 1
    while distance < size {
      var messages = [[UInt8]](repeating: [], count: size)
      if rank % (2 * distance) == distance { messages[rank - distance] = part }
      let received = try allToAll(messages)
      if rank % (2 * distance) == 0, rank + distance < size { part = try merge(part, received[rank + distance]) }
      distance *= 2
    }
    return try broadcast(part, root: 0)
  }

  /// The sums over the ranks, number by number. Collective.
  borrowing func sums(_ values: [Int]) throws -> [Int] {
    var sums = [Int](repeating: 0, count: values.count)
    for part in try allGather(values) { for index in sums.indices { sums[index] += part[index] } }
    return sums
  }
}

extension PreparationError {
  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(kind.rawValue)
    writer.write(optional: place) { $0.write($1) }
    writer.write(message)
    writer.write(hint)
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(DataError) {
    var reader = ByteReader(bytes)
    let kind = Kind(rawValue: try reader.readString()) ?? .io
    let place = try reader.readOptional { (reader) throws(DataError) in try reader.readPlace() }
    self.init(
      kind, at: place, try reader.readString(),
      hint: try reader.readOptional { (reader) throws(DataError) in try reader.readString() })
  }
}

extension ByteWriter {
  mutating func write(_ place: PreparationError.Place) {
    write(place.path)
    write(place.line)
    write(place.column)
  }
}

extension ByteReader {
  mutating func readPlace() throws(DataError) -> PreparationError.Place {
    PreparationError.Place(path: try readString(), line: try readInt(), column: try readInt())
  }
}
