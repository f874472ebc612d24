/// Turns a stored chunk into what it was before: checksum verified, inflated, its bytes back in their places.
struct ChunkDecoder: Sendable {
  private let filters: Filters
  /// Of the chunk when it is decoded.
  private let bytes: Int
  private let elementBytes: Int

  init(filters: Filters, bytes: Int, elementBytes: Int) {
    self.filters = filters
    self.bytes = bytes
    self.elementBytes = elementBytes
  }

  private var checksumBytes: Int { filters.fletcher32 ? MemoryLayout<UInt32>.size : 0 }
  private var isShuffled: Bool { filters.shuffle && elementBytes > 1 }

  /// Whether chunks are stored as they lie in memory, with at most a checksum behind them.
  var isDirect: Bool { filters.deflate == nil && !isShuffled }

  /// The room that decoding takes from the place of the chunk on.
  var room: Int { isDirect ? bytes + checksumBytes : bytes }

  /// The most that a chunk takes in the file; what does not shrink, deflate makes larger by 5 bytes in 16 KiB.
  var largestStored: Int { bytes + bytes >> 10 + 64 + checksumBytes }

  /// Whether the checksum behind the chunk, if there is one, agrees with it.
  func isSound(_ stored: UnsafeRawBufferPointer) -> Bool {
    guard filters.fletcher32 else { return true }
    let end = stored.count - checksumBytes
    guard end >= 0 else { return false }
    let sum = unsafe UInt32(littleEndian: stored.loadUnaligned(fromByteOffset: end, as: UInt32.self))
    return unsafe Fletcher32.checksum(UnsafeRawBufferPointer(rebasing: stored[..<end])) == sum
  }

  /// Whether the first `count` bytes of `scratch.stored` were a sound chunk, which now lies at the start of `destination`. For chunks
  /// that are not direct.
  func decode(storedBytes count: Int, of scratch: ChunkScratch, into destination: UnsafeMutableRawBufferPointer) -> Bool
  {
    guard destination.count >= bytes else { return false }
    let place = unsafe UnsafeMutableRawBufferPointer(rebasing: destination[..<bytes])
    return unsafe scratch.stored.withUnsafeBytes { all in
      guard unsafe isSound(UnsafeRawBufferPointer(rebasing: all[..<count])) else { return false }
      let contents = unsafe UnsafeRawBufferPointer(rebasing: all[..<(count - checksumBytes)])
      if filters.deflate == nil {
        guard contents.count == bytes else { return false }
        unsafe unshuffle(contents, into: place)
        return true
      }
      guard isShuffled else { return unsafe scratch.inflater.inflate(contents, into: place) }
      ChunkScratch.grow(&scratch.inflated, to: bytes)
      return unsafe scratch.inflated.withUnsafeMutableBytes { inflated in
        let sorted = unsafe UnsafeMutableRawBufferPointer(rebasing: inflated[..<bytes])
        guard unsafe scratch.inflater.inflate(contents, into: sorted) else { return false }
        unsafe unshuffle(UnsafeRawBufferPointer(sorted), into: place)
        return true
      }
    }
  }

  /// Puts elements together whose bytes lie sorted by their weight: all first bytes, then all second ones.
  private func unshuffle(_ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer) {
    let count = bytes / elementBytes
    guard count > 0, let from = source.baseAddress, let to = destination.baseAddress else { return }
    switch elementBytes {
    case 2:
      for index in 0..<count {
        let low = unsafe UInt16(from.load(fromByteOffset: index, as: UInt8.self))
        let high = unsafe UInt16(from.load(fromByteOffset: count + index, as: UInt8.self))
        unsafe to.storeBytes(of: (low | high << 8).littleEndian, toByteOffset: 2 * index, as: UInt16.self)
      }
    case 4:
      for index in 0..<count {
        let first = unsafe UInt32(from.load(fromByteOffset: index, as: UInt8.self))
        let second = unsafe UInt32(from.load(fromByteOffset: count + index, as: UInt8.self))
        let third = unsafe UInt32(from.load(fromByteOffset: 2 * count + index, as: UInt8.self))
        let fourth = unsafe UInt32(from.load(fromByteOffset: 3 * count + index, as: UInt8.self))
        let word = first | second << 8 | third << 16 | fourth << 24
        unsafe to.storeBytes(of: word.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      }
    default:
      for place in 0..<elementBytes {
        let bytes = unsafe from + place * count
        for index in 0..<count {
          let byte = unsafe bytes.load(fromByteOffset: index, as: UInt8.self)
          unsafe to.storeBytes(of: byte, toByteOffset: index * elementBytes + place, as: UInt8.self)
        }
      }
    }
  }
}
