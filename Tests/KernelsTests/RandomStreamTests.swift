import Testing

@testable import Kernels

@Suite struct RandomStreamTests {
  /// The known answers for philox4x32-10 in Random123's `kat_vectors`.
  @Test(arguments: [
    (
      SIMD4<UInt32>(0, 0, 0, 0), SIMD2<UInt32>(0, 0),
      SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
    ),
    (
      SIMD4<UInt32>(repeating: 0xffff_ffff), SIMD2<UInt32>(repeating: 0xffff_ffff),
      SIMD4<UInt32>(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
    ),
    (
      SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2<UInt32>(0xa409_3822, 0x299f_31d0),
      SIMD4<UInt32>(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
    ),
  ])
  func publishedVectors(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, expected: SIMD4<UInt32>) {
    #expect(Philox.block(counter: counter, key: key) == expected)
  }

  @Test func sequenceAndRandomAccessAgree() {
    var stream = RandomStream(seed: 42, stream: 3, 5)
    let reference = stream
    for index in 0..<100 { #expect(stream.nextWord() == reference.word(at: UInt64(index))) }
    stream.position = 17
    #expect(stream.uniform() == reference.uniform(at: 17))
    let low = UInt64(reference.word(at: 18))
    #expect(stream.next() == low | UInt64(reference.word(at: 19)) << 32)
  }

  @Test func seedsAndLabelsMakeOtherStreams() {
    var seen: Set<UInt64> = []
    for seed in 0..<8 as Range<UInt64> {
      var streams = [RandomStream(seed: seed)]
      for label in 0..<8 as Range<UInt64> {
        streams.append(RandomStream(seed: seed, stream: label))
        streams.append(RandomStream(seed: seed, stream: label, 0))
        streams.append(RandomStream(seed: seed, stream: 8, label))
      }
      for index in streams.indices { seen.insert(streams[index].next()) }
    }
    #expect(seen.count == 8 * 25)
  }

  @Test func uniformNumbersAreUniform() {
    var stream = RandomStream(seed: 7)
    var counts = [Int](repeating: 0, count: 64)
    for _ in 0..<64_000 {
      let number = stream.uniform()
      #expect(number >= 0 && number < 1)
      counts[Int(number * 64)] += 1
    }
    #expect(chiSquare(counts, expected: 1000) < 120)  // 63 degrees of freedom: beyond 1 in 10,000
  }

  @Test func boundedNumbersAreUnbiased() {
    var stream = RandomStream(seed: 8)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.below(7)] += 1 }
    #expect(chiSquare(counts, expected: 10_000) < 30)  // 6 degrees of freedom
    // A bound for which a plain multiplication would be visibly uneven: 3/4 of all numbers.
    let large = Int.max / 4 * 3
    var upper = 0
    for _ in 0..<4000 where stream.below(large) >= large / 2 { upper += 1 }
    #expect(abs(upper - 2000) < 150)
    #expect(stream.below(1) == 0)
  }

  @Test func permutationsAreAllEquallyLikely() {
    var counts: [[Int32]: Int] = [:]
    for seed in 0..<24_000 as Range<UInt64> {
      var stream = RandomStream(seed: seed)
      counts[stream.permutation(count: 4), default: 0] += 1
    }
    #expect(counts.count == 24)
    #expect(chiSquare(Array(counts.values), expected: 1000) < 60)  // 23 degrees of freedom
  }

  /// A permutation takes one word a number, those that `nextWord` would give.
  @Test(arguments: [1, 2, 31, 32, 33, 500], [0, 1, 2, 3, 29] as [UInt64])
  func permutationsTakeTheWordsOfTheStream(count: Int, position: UInt64) {
    var stream = RandomStream(seed: 9, stream: 4, 2)
    var words = stream
    stream.position = position
    words.position = position
    let found = stream.permutation(count: count)
    var wanted = [Int32](0..<Int32(count))
    for last in stride(from: count - 1, to: 0, by: -1) {
      // So small a bound makes none of these words one to be drawn again.
      wanted.swapAt(last, Int((UInt64(words.nextWord()) * UInt64(last + 1)) >> 32))
    }
    #expect(found == wanted)
    #expect(stream.nextWord() == words.nextWord())
  }

  /// Where each number comes to stand, from the same words.
  @Test(arguments: [0, 1, 2, 63, 64, 65, 3000], [0, 3, 29] as [UInt64])
  func aShuffleIsInvertedAsItIsDrawn(count: Int, position: UInt64) {
    var stream = RandomStream(seed: 9, stream: 4, 2)
    var same = stream
    stream.position = position
    same.position = position
    let shuffled = stream.permutation(count: count)
    var places = [Int32](repeating: -1, count: count)
    var scratch = places
    same.invertedShuffle(into: &places, scratch: &scratch)
    for (place, number) in shuffled.enumerated() { #expect(places[Int(number)] == Int32(place)) }
    #expect(same.position == stream.position)
  }

  @Test func permutationsHoldEveryNumber() {
    var stream = RandomStream(seed: 9)
    #expect(stream.permutation(count: 1000).sorted() == [Int32](0..<1000))
    #expect(stream.permutation(count: 0) == [])
  }

  private func chiSquare(_ counts: [Int], expected: Double) -> Double {
    counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}
