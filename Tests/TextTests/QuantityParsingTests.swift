import Testing
import Text

/// Quantities as people write them.
@Suite struct QuantityParsingTests {
  @Test(arguments: [
    ("10Gbit/s", 1.25e9), ("10 Gbit/s", 1.25e9), ("10Gb/s", 1.25e9), ("10Gbps", 1.25e9), ("8bit/s", 1.0),
    ("1.2GB/s", 1.2e9), ("800 MiB/s", 838_860_800.0), ("1e3 kB/s", 1e6), ("100Mbit/s", 1.25e7), ("5 B/s", 5.0),
  ])
  func speeds(_ text: String, _ expected: Double) { #expect(Quantity.bytesPerSecond(text) == expected) }

  @Test(arguments: [
    "", "10", "10Gbit", "10 Gs", "-1GB/s", "0GB/s", "GB/s", "1.2.3GB/s", "nan GB/s", "1e400GB/s", "10 gbit/s",
  ])
  func noSpeeds(_ text: String) { #expect(Quantity.bytesPerSecond(text) == nil) }

  @Test(arguments: [
    ("25us", 25 * 1e-6), ("1.5 ms", 1.5 * 1e-3), ("300ns", 300 * 1e-9), ("2s", 2.0), ("0us", 0.0), ("1e-3s", 1e-3),
    ("25µs", 25 * 1e-6),
  ])
  func spans(_ text: String, _ expected: Double) { #expect(Quantity.seconds(text) == expected) }

  @Test(arguments: ["", "25", "25 u", "-1s", "us", "1h"]) func noSpans(_ text: String) {
    #expect(Quantity.seconds(text) == nil)
  }

  @Test(arguments: [
    ("4096", 4096), ("1e9", 1_000_000_000), ("64GiB", 64 << 30), ("512 MB", 512_000_000), ("1.5 KiB", 1536), ("7B", 7),
  ])
  func bytes(_ text: String, _ expected: Int) { #expect(Quantity.bytes(text) == expected) }

  @Test(arguments: ["", "0", "-5", "64 Gib", "1e30", "64GiB/s", "lots"]) func noBytes(_ text: String) {
    #expect(Quantity.bytes(text) == nil)
  }
}
