internal import Kernels

/// A shuffled order of 0..<count that takes no memory: the place of any number is a function of seed, labels and
/// number.
///
/// A Feistel network over the next power of two; a result beyond `count` goes through it again until it is below
/// (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002). The keys of its rounds come from a
/// `RandomStream`.
struct Permutation: Sendable {
  let count: Int
  /// Bits of the two halves; they change places in each round, and are back after an even number.
  private let highBits: UInt64
  private let lowBits: UInt64
  private let keys: [UInt64]
  private static let rounds = 8

  /// The order for the `stratum` of `seed`.
  init(count: Int, seed: UInt64, stratum: Int) {
    precondition(count >= 0, "an order of \(count) numbers")
    self.count = count
    let bits = UInt64(Int.bitWidth - max(count - 1, 0).leadingZeroBitCount)
    highBits = bits / 2
    lowBits = bits - bits / 2
    var stream = RandomStream(seed: seed, stream: Self.label, UInt64(stratum))
    keys = (0..<Self.rounds).map { _ in stream.next() }
  }

  /// Tells the streams of splits from all others of the same seed: "split".
  private static let label: UInt64 = 0x73_706c_6974

  /// The place of `number`.
  subscript(number: Int) -> Int {
    precondition(number >= 0 && number < count, "number \(number) of \(count)")
    var place = UInt64(number)
    repeat { place = scramble(place) } while place >= UInt64(count)
    return Int(place)
  }

  /// The places of the numbers from `first` on, as many as a vector has; what stands for numbers that are not there means nothing.
  func places(from first: Int) -> SIMD8<UInt64> {
    precondition(first >= 0 && first < count, "number \(first) of \(count)")
    let numbers = SIMD8(repeating: UInt64(first)) &+ SIMD8(0, 1, 2, 3, 4, 5, 6, 7)
    var (highBits, lowBits) = (highBits, lowBits)
    var high = numbers &>> SIMD8(repeating: lowBits)
    var low = numbers & SIMD8(repeating: 1 << lowBits - 1)
    for key in keys {
      var mixed = low &* 0x9e37_79b9_7f4a_7c15 &+ key
      mixed = (mixed ^ (mixed &>> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed &>> 27)) &* 0x94d0_49bb_1331_11eb
      (high, low) = (low, high ^ ((mixed ^ (mixed &>> 31)) & SIMD8(repeating: 1 << highBits - 1)))
      swap(&highBits, &lowBits)
    }
    var places = high &<< SIMD8(repeating: lowBits) | low
    for lane in places.indices where places[lane] >= UInt64(count) && first + lane < count {
      places[lane] = UInt64(self[first + lane])
    }
    return places
  }

  private func scramble(_ value: UInt64) -> UInt64 {
    var (highBits, lowBits) = (highBits, lowBits)
    var high = value >> lowBits
    var low = value & (1 << lowBits - 1)
    for key in keys {
      (high, low) = (low, high ^ (Self.mix(low, key) & (1 << highBits - 1)))
      swap(&highBits, &lowBits)
    }
    return high << lowBits | low
  }

  /// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014: the finalizer of SplitMix.
  private static func mix(_ value: UInt64, _ key: UInt64) -> UInt64 {
    var mixed = value &* 0x9e37_79b9_7f4a_7c15 &+ key
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
