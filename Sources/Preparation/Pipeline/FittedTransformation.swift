internal import Kernels

/// A transformation with the numbers that were fitted for it: one entry for each number that a row has before it.
enum FittedTransformation: Equatable, Sendable {
  case log(offset: Double)
  /// Infinite where there is no bound.
  case clip(minima: [Double], maxima: [Double])
  /// (x - center) / scale.
  case scale(centers: [Double], scales: [Double])
  /// (x - minimum) / (maximum - minimum) brought to `lower`...`upper`.
  case minMax(minima: [Double], maxima: [Double], lower: Double, upper: Double)
  case oneHot(categories: [String], dropFirst: Bool)
  case ordinal(categories: [String])
  case hashed(buckets: Int)
  case dateParts([DatePart])
  case polynomial(degree: Int)

  /// The numbers of a row after it, by name, from the names before.
  func names(_ names: [String]) -> [String] {
    switch self {
    case .log, .clip, .scale, .minMax, .ordinal: names
    case .oneHot(let categories, let dropFirst):
      names.flatMap { name in categories.dropFirst(dropFirst ? 1 : 0).map { "\(name)_\($0)" } }
    case .hashed(let buckets): names.flatMap { name in (0..<buckets).map { "\(name)_hash\($0)" } }
    case .dateParts(let parts): names.flatMap { name in parts.map { "\(name)_\($0.rawValue)" } }
    case .polynomial(let degree):
      names.flatMap { name in (1...degree).map { $0 == 1 ? name : "\(name)^\($0)" } }
    }
  }

  /// What it makes of numbers.
  ///
  /// - Parameter channel: which of a row's numbers they are.
  /// - Returns: a list for each number that comes out; nil for what a logarithm does not have is NaN.
  func apply(_ values: [Double], channel: Int) -> [[Double]] {
    switch self {
    case .log(let offset): return [values.map { $0 + offset > 0 ? ScalarMath.logarithm($0 + offset) : .nan }]
    case .clip(let minima, let maxima):
      let (low, high) = (minima[channel], maxima[channel])
      return [values.map { min(max($0, low), high) }]
    case .scale(let centers, let scales):
      let (center, scale) = (centers[channel], scales[channel])
      return [values.map { ($0 - center) / scale }]
    case .minMax(let minima, let maxima, let lower, let upper):
      let (low, span) = (minima[channel], maxima[channel] - minima[channel])
      let factor = span > 0 ? (upper - lower) / span : upper - lower
      return [values.map { ($0 - low) * factor + lower }]
    case .polynomial(let degree):
      var powers = [values]
      for _ in 1..<degree {
        let last = powers[powers.count - 1]
        powers.append(values.indices.map { last[$0] * values[$0] })
      }
      return powers
    case .dateParts(let parts): return parts.map { part in values.map { part.value(ofSeconds: $0) } }
    case .oneHot, .ordinal, .hashed: preconditionFailure("a transformation of texts applied to numbers")
    }
  }

  /// The bucket of a text: FNV-1a of its UTF-8 bytes, mixed, modulo the number of buckets.
  static func bucket(of text: String, buckets: Int) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int((hash ^ (hash >> 32)) % UInt64(buckets))
  }
}
