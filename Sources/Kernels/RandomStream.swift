/// Random numbers by counter: the n-th number is a pure function of seed, labels and n, so that any rank can take any
/// part of a sequence without the numbers before it.
///
/// The sequence is one of 32-bit words (Philox4x32-10). Streams of one seed with different labels are independent.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  /// Index of the next word that the sequential calls take.
  public var position: UInt64 = 0
  /// The block that `position` last fell in: four sequential words cost one cipher.
  private var block = SIMD4<UInt32>()
  private var blockIndex = UInt64.max

  /// The stream of `seed` that the labels name, for example epoch and virtual rank; their order matters.
  public init(seed: UInt64, stream labels: UInt64...) {
    var key = seed
    for (index, label) in labels.enumerated() {
      // The upper half of the counter is never reached by the words of a stream (it is zero there), so that a key made
      // here is not a piece of the numbers of the stream with one label less.
      let counter = SIMD4(
        UInt32(truncatingIfNeeded: label), UInt32(truncatingIfNeeded: label >> 32), UInt32(index + 1), 0x6170_7573)
      let derived = Philox.block(counter: counter, key: Self.words(key))
      key = UInt64(derived[0]) | UInt64(derived[1]) << 32
    }
    self.key = Self.words(key)
  }

  private static func words(_ value: UInt64) -> SIMD2<UInt32> {
    SIMD2(UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
  }

  private func makeBlock(_ index: UInt64) -> SIMD4<UInt32> {
    let counter = Self.words(index)
    return Philox.block(counter: SIMD4(counter[0], counter[1], 0, 0), key: key)
  }

  /// The word with this index, whatever was taken before.
  public func word(at index: UInt64) -> UInt32 {
    makeBlock(index >> 2)[Int(index & 3)]
  }

  /// The number in [0, 1) made of the word with this index; a multiple of 2⁻²⁴.
  public func uniform(at index: UInt64) -> Float {
    Self.uniform(word(at: index))
  }

  /// The next word of the sequence.
  public mutating func nextWord() -> UInt32 {
    let index = position >> 2
    if index != blockIndex {
      block = makeBlock(index)
      blockIndex = index
    }
    let word = block[Int(position & 3)]
    position &+= 1
    return word
  }

  /// The next two words as one number.
  public mutating func next() -> UInt64 {
    let low = nextWord()
    return UInt64(low) | UInt64(nextWord()) << 32
  }

  /// The next number in [0, 1); a multiple of 2⁻²⁴.
  public mutating func uniform() -> Float {
    Self.uniform(nextWord())
  }

  private static func uniform(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }

  /// A number from 0 up to but not including `bound`, all equally likely.
  ///
  /// Source: D. Lemire, Fast Random Integer Generation in an Interval (2019).
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a random number below \(bound)")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// Brings `values` into an order of which all are equally likely (Fisher and Yates).
  ///
  /// Takes one word of the sequence a value, where `below` would take two.
  public mutating func shuffle(_ values: inout [Int32]) {
    unsafe values.withUnsafeMutableBufferPointer { values in
      guard let base = values.baseAddress else { return }
      exchanges(of: values.count) { last, other in
        let (one, two) = unsafe (base + last, base + other)
        unsafe (one.pointee, two.pointee) = (two.pointee, one.pointee)
      }
    }
  }

  /// Puts into `places` where each of the numbers 0 up to its count comes to stand when `shuffle` is given them in turn: the inverse of that
  /// order, from the same words.
  ///
  /// - Parameter scratch: as many numbers, written over.
  public mutating func invertedShuffle(into places: inout [Int32], scratch: inout [Int32]) {
    precondition(scratch.count == places.count, "\(scratch.count) numbers of scratch for \(places.count)")
    guard !places.isEmpty else { return }
    unsafe scratch.withUnsafeMutableBufferPointer { others in
      guard let others = others.baseAddress else { return }
      exchanges(of: places.count) { last, other in unsafe others[last] = Int32(truncatingIfNeeded: other) }
      // The exchanges in the opposite order; before its own one a number stands in its own place.
      unsafe places.withUnsafeMutableBufferPointer { places in
        unsafe places[0] = 0
        for last in 1..<places.count {
          let other = unsafe Int(others[last])
          unsafe places[last] = places[other]
          unsafe places[other] = Int32(truncatingIfNeeded: last)
        }
      }
    }
  }

  /// Calls `body` with the places whose values `shuffle` exchanges, in turn: from the last of `count` places down to the second, each with one
  /// that is not behind it.
  @inline(__always)
  private mutating func exchanges(of count: Int, _ body: (_ last: Int, _ other: Int) -> Void) {
    precondition(count <= Int(Int32.max), "a permutation of \(count)")
    var run = WordRun(key: key, position: position)
    var others = InlineArray<64, UInt32>(repeating: 0)
    var last = count - 1
    while last > 0 {
      let made = run.descend(from: UInt32(last + 1), count: last, into: &others)
      for index in 0..<made { body(last - index, unsafe Int(others[unchecked: index])) }
      last -= made
    }
    position = run.position
  }

  /// The numbers 0 up to `count` in an order of which all are equally likely.
  public mutating func permutation(count: Int) -> [Int32] {
    precondition(count <= Int(Int32.max), "a permutation of \(count)")
    var values = [Int32]((0..<Int32(count)))
    shuffle(&values)
    return values
  }
}

/// Words of a stream one after the other, made 64 at a time.
private struct WordRun {
  private let key: SIMD2<UInt32>
  private(set) var position: UInt64
  private var words = InlineArray<64, UInt32>(repeating: 0)
  /// The first position behind `words`.
  private var end: UInt64

  init(key: SIMD2<UInt32>, position: UInt64) {
    self.key = key
    self.position = position
    end = position
  }

  private mutating func makeWords() {
    guard position == end else { return }
    // From the start of the block that the position is in.
    words = Philox.run(from: position >> 2, key: key)
    end = (position & ~3) &+ 64
  }

  private mutating func next() -> UInt32 {
    makeWords()
    let word = words[Int(64 &- (end &- position))]
    position &+= 1
    return word
  }

  /// A number from 0 up to but not including `bound`, all equally likely; see `RandomStream.below`.
  mutating func below(_ bound: UInt32) -> UInt32 {
    var product = UInt64(next()) &* UInt64(bound)
    if UInt32(truncatingIfNeeded: product) < bound {
      let threshold = (0 &- bound) % bound
      while UInt32(truncatingIfNeeded: product) < threshold { product = UInt64(next()) &* UInt64(bound) }
    }
    return UInt32(truncatingIfNeeded: product >> 32)
  }

  /// Puts numbers below `bound`, `bound - 1` and so on into `numbers`, as many as are made at a time and at most `count`; returns how many.
  mutating func descend(from bound: UInt32, count: Int, into numbers: inout InlineArray<64, UInt32>) -> Int {
    makeWords()
    let left = Int(end &- position)
    let made = min(left, count)
    var doubts: UInt32 = 0
    for index in 0..<made {
      let limit = bound &- UInt32(truncatingIfNeeded: index)
      let product = unsafe UInt64(words[unchecked: 64 &- left &+ index]) &* UInt64(limit)
      unsafe numbers[unchecked: index] = UInt32(truncatingIfNeeded: product >> 32)
      doubts |= UInt32(truncatingIfNeeded: product) < limit ? 1 : 0
    }
    guard doubts > 0 else {
      position &+= UInt64(made)
      return made
    }
    numbers[0] = below(bound)
    return 1
  }
}
