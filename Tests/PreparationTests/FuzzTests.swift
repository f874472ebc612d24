import Files
import Kernels
import Testing

@testable import Preparation

/// Tables that were damaged at random: each is prepared or refused with an error, in time, and nothing traps.
@Suite struct FuzzTests {
  /// Sound tables of different dialects, which the damage begins with.
  private static let seeds: [[UInt8]] = [
    "a,b,t\n1,2.5,x\n-3,1e-4,y\n.5,+7,x\n0,NA,z\n",
    "\u{feff}\"a\";\"b;1\";t\r\n1;\"2\r\n3\";\"x\"\"y\"\r\n\r\n4;5;z\r\n", "a\tb\tt\r1\t2\t3\r4\t5\t6\r",
    "name|day|t\n Ünïcode |2024-02-29|1\n|1999-12-31T23:59:59.5|0\n\"\"|null|1\n",
    "a,b,t\n1,2,3\n4,5,6\n7,8,9\n", "a;b;t\n1;2;0\n4;5;1\n", "a,t\n" + (0..<200).map { "\($0),\($0 % 3)\n" }.joined(),
    "a,b,t\n" + (0..<40).map { "\"line \($0)\n with, comma\",\(Double($0) / 7),\($0 % 2)\n" }.joined(),
  ].map { Array($0.utf8) }

  /// Bytes that mean something to a reader of tables.
  private static let strange: [[UInt8]] = [
    [0x22], [0x22, 0x22], [0x2c], [0x0a], [0x0d], [0x0d, 0x0a], [0x00], [0xff], [0xc3], [0xef, 0xbb, 0xbf], [0x3b],
    [0x09],
    Array("1e999999999999".utf8), Array("-".utf8), Array("nan".utf8), Array("9223372036854775808".utf8), [0x1f, 0x8b],
    Array("0x1p3".utf8), Array("'".utf8), [0x5c], [0x23], [0xf0, 0x9f, 0x90, 0xa6], Array(repeating: 0x39, count: 400),
  ]

  private static func damaged(_ stream: inout RandomStream) -> [UInt8] {
    var bytes = seeds[stream.below(seeds.count)]
    for _ in 0..<1 + stream.below(6) {
      let place = bytes.isEmpty ? 0 : stream.below(bytes.count)
      let length = min(bytes.count - place, 1 + stream.below(12))
      switch stream.below(6) {
      case 0 where !bytes.isEmpty: bytes[place] ^= UInt8(1 << stream.below(8))
      case 1: bytes.removeSubrange(place..<place + length)
      case 2: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
      case 3: bytes.insert(contentsOf: strange[stream.below(strange.count)], at: place)
      case 4: bytes.removeSubrange(place...)
      default:
        let piece = strange[stream.below(strange.count)]
        bytes.replaceSubrange(place..<place + length, with: piece)
      }
    }
    return bytes
  }

  /// A failure is found again by its number.
  @Test func damagedTablesNeverTrap() throws {
    let directory = try TemporaryDirectory()
    var (prepared, refused) = (0, 0)
    for number in 0..<600 {
      var stream = RandomStream(seed: UInt64(number), stream: 0, 0x6675_7a7a)
      let input = try directory.file("in.csv", Self.damaged(&stream))
      var request = PreparationRequest(inputs: [input], target: "t", output: directory.join("out"))
      request.overwrite = true
      request.missing = stream.below(2) == 0 ? .drop : .error
      request.standardize = stream.below(2) == 0
      let start = ContinuousClock.now
      do {
        _ = try Preparer(request).run()
        prepared += 1
      } catch {
        #expect(!error.message.isEmpty)
        #expect(error.kind == .invalid, "\(number): \(error)")
        #expect(error.place.map { $0.line >= 1 && $0.column >= 1 } ?? true)
        refused += 1
      }
      #expect(ContinuousClock.now - start < .seconds(25), "\(number)")
    }
    // Damage that is always refused, or never, would test little.
    #expect(prepared > 0 && refused > 0, "\(prepared) prepared, \(refused) refused")
  }
}
