/// A quantity as people write it, with its unit: "10 Gbit/s", "25us", "64 GiB".
///
/// The number may have a fraction and an exponent; prefixes are decimal (k, M, G, T) or, before bytes and bits, binary (Ki, Mi, Gi,
/// Ti). Units tell a bit (`bit`, `b`) from a byte (`B`).
public enum Quantity {
  /// Bytes: "4096", "512 MB", "64GiB". Nil for what is no number of bytes above 0, or none that fits an `Int`.
  public static func bytes(_ text: String) -> Int? {
    guard let (number, unit) = split(text), let factor = unit.isEmpty ? 1 : scale(unit, of: "B") else { return nil }
    let bytes = (number * factor).rounded()
    return bytes >= 1 ? Int(exactly: bytes) : nil
  }

  /// Bytes a second: "10Gbit/s", "10 Gb/s", "10Gbps", "1.2 GB/s". Nil for what is no speed above 0.
  public static func bytesPerSecond(_ text: String) -> Double? {
    guard let (number, unit) = split(text) else { return nil }
    let speed: Double?
    if unit.hasSuffix("bps") {
      speed = scale(String(unit.dropLast(2)), of: "b").map { number * $0 / 8 }
    } else if unit.hasSuffix("/s") {
      let amount = String(unit.dropLast(2))
      let bits = scale(amount, of: "bit") ?? scale(amount, of: "b")
      speed = bits.map { number * $0 / 8 } ?? scale(amount, of: "B").map { number * $0 }
    } else {
      speed = nil
    }
    return speed.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
  }

  /// Seconds: "25us", "1.5 ms", "300 ns", "2s". Nil for what is no span of time from 0.
  public static func seconds(_ text: String) -> Double? {
    guard let (number, unit) = split(text), let factor = spans[unit] else { return nil }
    let seconds = number * factor
    return seconds >= 0 && seconds.isFinite ? seconds : nil
  }

  private static let spans = ["s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9]
  private static let prefixes = [
    "": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30, "Ti": 0x1p40,
  ]

  /// How many of `base` the unit `unit` is; nil where it is another unit.
  private static func scale(_ unit: String, of base: String) -> Double? {
    unit.hasSuffix(base) ? prefixes[String(unit.dropLast(base.count))] : nil
  }

  /// The number and the unit behind it, spaces between them left out.
  private static func split(_ text: String) -> (number: Double, unit: String)? {
    // The longest beginning that is a number: an exponent is digits behind an e.
    var end = text.startIndex
    var number: Double?
    for index in text.indices {
      let next = text.index(after: index)
      guard text[index].isASCII, text[index] != " " else { break }
      if text[index].isNumber || text[index] == ".", let value = Double(text[..<next]) { (number, end) = (value, next) }
    }
    guard let number, number >= 0, number.isFinite else { return nil }
    return (number, String(text[end...].drop { $0 == " " }))
  }
}
