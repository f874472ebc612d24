import CCarryless

/// CRC-64/XZ of a stream of bytes: finds every error burst of up to 64 bits, and any other with odds of 2^-64.
///
/// Polynomial 0x42F0E1EBA9EA3693, reflected, all ones before and after; the value of "123456789" is 995DC9BBDF1939FA.
/// Source: ECMA-182 (polynomial); the XZ file format 1.2.1, section 6.
public struct Checksum: Equatable, Sendable {
  fileprivate static let reflectedPolynomial: UInt64 = 0xC96C_5795_D787_0F42

  fileprivate var state: UInt64

  public init() { self.init(state: .max) }

  fileprivate init(state: UInt64) { self.state = state }

  /// The checksum of `bytes` alone.
  public init(of bytes: [UInt8]) {
    self.init()
    update(bytes)
  }

  /// The checksum of all bytes so far.
  public var value: UInt64 { ~state }

  /// The value as 16 lower-case hexadecimal digits.
  public var hex: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  public mutating func update(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { unsafe update($0) }
  }

  public mutating func update(_ bytes: [UInt8]) {
    update(bytes.span)
  }

  /// Takes the numbers as their bytes in memory, little-endian.
  public mutating func update(_ floats: Span<Float>) {
    requireLittleEndian()
    unsafe floats.withUnsafeBytes { unsafe update($0) }
  }

  /// Slicing by 16: sixteen independent table look-ups take the place of sixteen dependent ones. Where the processor multiplies
  /// polynomials, all but the end is folded first.
  private mutating func update(_ buffer: UnsafeRawBufferPointer) {
    guard let base = buffer.baseAddress else { return }
    let count = buffer.count
    let table = unsafe ChecksumTables.shared
    var crc = state
    var offset = 0
    if count >= 256, let folding = Folding.shared {
      offset = count & ~(folding.bytes - 1)
      crc = unsafe ChecksumTables.fold(folding.fold(base, offset, crc))
    }
    while offset &+ 16 <= count {
      let low =
        crc ^ UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let high = UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self))
      let first = unsafe ChecksumTables.fold(low, table + 8 * 256)
      let second = unsafe ChecksumTables.fold(high, table)
      crc = first ^ second
      offset &+= 16
    }
    while offset < count {
      let byte = unsafe base.load(fromByteOffset: offset, as: UInt8.self)
      crc = unsafe crc &>> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
      offset &+= 1
    }
    state = crc
  }

  /// Takes the bytes of `source` and copies them to `target`, in one pass where the processor can do that.
  /// - Returns: whether all numbers are finite.
  fileprivate mutating func update(copying source: UnsafeBufferPointer<Float>, to target: UnsafeMutablePointer<Float>)
    -> Bool
  {
    guard let folding = Folding.shared, folding.isWide else {
      return unsafe update(copyingInPasses: source, to: target)
    }
    // The target of the one pass begins with a cache line.
    let line = 64
    let lead = (line - Int(bitPattern: target) % line) % line / MemoryLayout<Float>.stride
    let floats = max(0, source.count - lead) & ~(folding.bytes / MemoryLayout<Float>.stride - 1)
    guard floats > 0, let base = source.baseAddress else { return unsafe update(copyingInPasses: source, to: target) }
    let isLeadFinite = unsafe update(copyingInPasses: UnsafeBufferPointer(rebasing: source[..<lead]), to: target)
    var hasSpecial: Int32 = 0
    let bytes = floats * MemoryLayout<Float>.stride
    state = unsafe ChecksumTables.fold(
      folding.copy(base + lead, bytes, state, to: target + lead, hasSpecial: &hasSpecial))
    let rest = unsafe UnsafeBufferPointer(rebasing: source[(lead + floats)...])
    return unsafe update(copyingInPasses: rest, to: target + lead + floats) && isLeadFinite && hasSpecial == 0
  }

  /// As `update(copying:to:)`, as much at a time as a cache close to the processor holds.
  private mutating func update(
    copyingInPasses source: UnsafeBufferPointer<Float>, to target: UnsafeMutablePointer<Float>
  ) -> Bool {
    var isFinite = true
    for start in stride(from: 0, to: source.count, by: 4096) {
      let part = unsafe UnsafeBufferPointer(rebasing: source[start..<min(start + 4096, source.count)])
      for index in 0..<part.count {
        unsafe target[start + index] = part[index]
        isFinite = unsafe part[index].isFinite && isFinite
      }
      unsafe update(UnsafeRawBufferPointer(part))
    }
    return isFinite
  }
}

extension Checksum {
  /// What some places of a file contribute to its checksum, wherever the rest comes from.
  ///
  /// Up to the ones before and after, the checksum is linear: that of a file is the exclusive or of those of its parts, each taken
  /// with zeros in all other places. So many processes can write one file, and none needs to read it for its checksum.
  public struct Part: Equatable, Sendable {
    /// Bytes taken.
    public private(set) var count = 0
    private var checksum = Checksum(state: 0)
    /// The place behind the last byte taken.
    private var end = 0
    /// What so many zeros do, by their number: the gaps between the rows of a matrix are all alike.
    private var operators: [Int: UInt64] = [:]

    public init() {}

    /// Takes the bytes of `floats`, which stand in the file from `offset` on and behind those taken before.
    public mutating func update(_ floats: Span<Float>, at offset: Int) {
      skip(to: offset)
      checksum.update(floats)
      advance(by: floats.count * MemoryLayout<Float>.stride)
    }

    /// As `update(_:at:)`, copying them to the beginning of `target`.
    /// - Returns: whether all of them are finite.
    public mutating func update(
      copying floats: Span<Float>, to target: inout MutableSpan<Float>, at offset: Int
    ) -> Bool {
      requireLittleEndian()
      precondition(floats.count <= target.count, "a copy of \(floats.count) floats to \(target.count)")
      skip(to: offset)
      let isFinite = unsafe floats.withUnsafeBufferPointer { source in
        unsafe target.withUnsafeMutableBufferPointer { target in
          guard let start = target.baseAddress else { return true }
          return unsafe checksum.update(copying: source, to: start)
        }
      }
      advance(by: floats.count * MemoryLayout<Float>.stride)
      return isFinite
    }

    /// Takes `bytes`, which stand in the file from `offset` on and behind those taken before.
    public mutating func update(_ bytes: [UInt8], at offset: Int) {
      skip(to: offset)
      checksum.update(bytes)
      advance(by: bytes.count)
    }

    /// What the places taken contribute to the checksum of a file of `length` bytes.
    public func contribution(length: Int) -> UInt64 {
      var whole = self
      whole.skip(to: length)
      return whole.checksum.state
    }

    private mutating func advance(by bytes: Int) {
      end += bytes
      count += bytes
    }

    private mutating func skip(to offset: Int) {
      precondition(offset >= end, "bytes at \(offset) come before \(end)")
      let zeros = offset - end
      end = offset
      guard zeros > 0, checksum.state != 0 else { return }
      let shift = operators[zeros] ?? Checksum.shift(zeros: zeros)
      operators[zeros] = shift
      checksum.state = Checksum.product(checksum.state, shift)
    }
  }

  /// The checksum of a file of `length` bytes of which each byte was taken by exactly one of some parts.
  public init(combining contributions: [UInt64], length: Int) {
    let zeros = Self.product(.max, Self.shift(zeros: length))
    self.init(state: contributions.reduce(zeros, ^))
  }

  /// The checksum of the bytes of this one and, behind them, `count` others of the checksum `next`.
  public func followed(by next: Checksum, count: Int) -> Checksum {
    // The ones before and after cancel out.
    Checksum(state: ~(Self.product(value, Self.shift(zeros: count)) ^ next.value))
  }

  /// x^(8 · zeros) modulo the polynomial: a checksum times this is the checksum so many zero bytes further on.
  fileprivate static func shift(zeros: Int) -> UInt64 {
    // The highest bit is x^0, the lowest x^63.
    var result: UInt64 = 1 << 63
    var square: UInt64 = 1 << 55
    var rest = zeros
    while rest > 0 {
      if rest & 1 == 1 { result = product(result, square) }
      square = product(square, square)
      rest >>= 1
    }
    return result
  }

  /// The product of two polynomials over the bits, modulo that of the checksum.
  fileprivate static func product(_ one: UInt64, _ other: UInt64) -> UInt64 {
    var sum: UInt64 = 0
    var (bits, factor) = (one, other)
    while bits != 0 {
      if bits >> 63 == 1 { sum ^= factor }
      bits <<= 1
      factor = factor & 1 == 1 ? factor >> 1 ^ reflectedPolynomial : factor >> 1
    }
    return sum
  }
}

/// Brings many bytes down to 16 of the same remainder, by products of polynomials.
///
/// Source: V. Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction, Intel 2009.
private struct Folding {
  /// Nil where the processor has no such instruction.
  static let shared: Folding? = {
    let bytes = Int(apus_carryless_bytes())
    return bytes > 0 ? Folding(bytes: bytes) : nil
  }()

  /// Bytes that are taken at a time, a power of two.
  let bytes: Int
  private let factors = apus_factors(
    by256: Folding.factors(bytes: 256), by64: Folding.factors(bytes: 64), by16: Folding.factors(bytes: 16))

  var isWide: Bool { bytes == Int(apus_wide) }

  /// What moves a block of 16 bytes on by so many: for its first eight bytes and for its last, which stand eight bytes further on.
  ///
  /// The product of two 64-bit words with their bits in reverse order has one factor of x too many.
  private static func factors(bytes: Int) -> apus_words {
    func power(_ bits: Int) -> UInt64 { Checksum.product(Checksum.shift(zeros: bits / 8), 1 << (63 - bits % 8)) }
    return apus_words(first: power(8 * bytes + 63), last: power(8 * bytes - 1))
  }

  /// - Parameter count: a multiple of `bytes`, not 0.
  func fold(_ source: UnsafeRawPointer, _ count: Int, _ start: UInt64) -> apus_words {
    let source = unsafe source.assumingMemoryBound(to: UInt8.self)
    return unsafe withUnsafePointer(to: factors) { factors in
      unsafe isWide
        ? apus_fold_wide(source, count, start, factors, nil, nil) : apus_fold_narrow(source, count, start, factors)
    }
  }

  /// As `fold`, with a copy made in the same pass. Only where that is wide.
  func copy(
    _ source: UnsafeRawPointer, _ count: Int, _ start: UInt64, to target: UnsafeMutableRawPointer,
    hasSpecial: inout Int32
  ) -> apus_words {
    let (source, target) = unsafe (
      source.assumingMemoryBound(to: UInt8.self), target.assumingMemoryBound(to: UInt8.self)
    )
    return unsafe withUnsafePointer(to: factors) { factors in
      unsafe apus_fold_wide(source, count, start, factors, target, &hasSpecial)
    }
  }
}

/// Table `k` at offset 256·k: what a byte does to the checksum `k` bytes further on.
private enum ChecksumTables {
  /// Built once and kept for the life of the process.
  nonisolated(unsafe) static let shared: UnsafePointer<UInt64> = {
    let tables = UnsafeMutablePointer<UInt64>.allocate(capacity: 16 * 256)
    for byte in 0..<256 {
      var crc = UInt64(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ Checksum.reflectedPolynomial : crc >> 1 }
      unsafe tables[byte] = crc
    }
    for index in 256..<16 * 256 {
      let before = unsafe tables[index - 256]
      unsafe tables[index] = before >> 8 ^ tables[Int(before & 0xFF)]
    }
    return unsafe UnsafePointer(tables)
  }()

  /// The checksum of 16 bytes.
  static func fold(_ block: apus_words) -> UInt64 {
    unsafe fold(block.first, shared + 8 * 256) ^ fold(block.last, shared)
  }

  /// The joint effect of eight bytes, the first of them seven tables up from `table`.
  @inline(__always)
  static func fold(_ word: UInt64, _ table: UnsafePointer<UInt64>) -> UInt64 {
    let a = unsafe table[1792 &+ Int(word & 0xFF)] ^ table[1536 &+ Int(word &>> 8 & 0xFF)]
    let b = unsafe table[1280 &+ Int(word &>> 16 & 0xFF)] ^ table[1024 &+ Int(word &>> 24 & 0xFF)]
    let c = unsafe table[768 &+ Int(word &>> 32 & 0xFF)] ^ table[512 &+ Int(word &>> 40 & 0xFF)]
    let d = unsafe table[256 &+ Int(word &>> 48 & 0xFF)] ^ table[Int(word &>> 56)]
    return (a ^ b) ^ (c ^ d)
  }
}

/// Files hold little-endian numbers, and so does every machine that Apus is built for.
func requireLittleEndian() {
  precondition(1.littleEndian == 1, "numbers are written as they lie in memory, which this machine's are not")
}
