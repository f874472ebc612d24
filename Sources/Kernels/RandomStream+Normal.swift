extension RandomStream {
  /// The next number of the normal distribution with mean 0 and deviation 1; takes two words of the sequence.
  ///
  /// Source: G. Box and M. Muller, A Note on the Generation of Random Normal Deviates (1958); the cosine alone, so that
  /// a number is a function of two words and nothing is kept in between.
  public mutating func normal() -> Double {
    // The middles of 2³² equal parts: the logarithm is never that of 0.
    let radius = (Double(nextWord()) + 0.5) * 0x1p-32
    let angle = Double(nextWord()) * (2 * Double.pi * 0x1p-32)
    return (-2 * ScalarMath.logarithm(radius)).squareRoot() * ScalarMath.cosine(angle)
  }
}
