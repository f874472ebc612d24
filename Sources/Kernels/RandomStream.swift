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
    precondition(values.count <= Int(Int32.max), "a permutation of \(values.count)")
    var span = values.mutableSpan
    var run = WordRun(key: key, position: position)
    for last in stride(from: span.count - 1, to: 0, by: -1) {
      span.swapAt(last, Int(run.below(UInt32(last + 1))))
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

  private mutating func next() -> UInt32 {
    if position == end {
      // From the start of the block that the position is in.
      words = Philox.run(from: position >> 2, key: key)
      end = (position & ~3) &+ 64
    }
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
}
