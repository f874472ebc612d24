/// `x` with `decimals` digits after the point, as C's `%.*f` writes it: "3.14", "-0.50", "nan", "inf", "-inf".
///
/// Correctly rounded from the exact value of the double, from the middle to even.
/// - Parameter decimals: At least 0 and at most 1,100, which is enough for every double.
public func fixed(_ x: Double, decimals: Int) -> String {
  precondition((0...1_100).contains(decimals), "decimals is \(decimals), not within 0 to 1,100")
  guard x.isFinite else { return nonFinite(x) }
  var expansion = DecimalExpansion(magnitudeOf: x)
  expansion.round(toDigits: expansion.point + decimals)
  return sign(x) + positional(expansion, decimals: decimals)
}

/// `x` with at most `digits` significant digits, as C's `%.*g` writes it: "0.001235", "1.235e-05", "1e+06", "12".
///
/// Correctly rounded from the exact value of the double. Zeros at the end of a fraction are left out.
/// - Parameter digits: At least 1 and at most 1,100.
public func significant(_ x: Double, digits: Int) -> String {
  precondition((1...1_100).contains(digits), "digits is \(digits), not within 1 to 1,100")
  guard x.isFinite else { return nonFinite(x) }
  guard x != 0 else { return sign(x) + "0" }
  var expansion = DecimalExpansion(magnitudeOf: x)
  expansion.round(toDigits: digits)
  let used = (expansion.digits.lastIndex { $0 > 0 } ?? 0) + 1
  let exponent = expansion.point - 1
  if exponent >= -4, exponent < digits {
    return sign(x) + positional(expansion, decimals: max(0, used - expansion.point))
  }
  var text = sign(x) + String(expansion.digits[0])
  if used > 1 { text += "." + expansion.digits[1..<used].map { String($0) }.joined() }
  text += exponent < 0 ? "e-" : "e+"
  return text + (exponent.magnitude < 10 ? "0" : "") + String(exponent.magnitude)
}

/// `n` with a comma between groups of three digits: "1,234,567".
public func grouped(_ n: Int) -> String {
  let digits = String(n.magnitude)
  var text = n < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.utf8.count - index).isMultiple(of: 3) { text += "," }
    text.append(digit)
  }
  return text
}

private func nonFinite(_ x: Double) -> String {
  x.isNaN ? "nan" : sign(x) + "inf"
}

private func sign(_ x: Double) -> String { x.sign == .minus ? "-" : "" }

/// The digits of an expansion around its decimal point, with `decimals` digits behind it.
private func positional(_ expansion: DecimalExpansion, decimals: Int) -> String {
  var bytes: [UInt8] = []
  if expansion.point <= 0 || expansion.digits.isEmpty {
    bytes.append(UInt8(ascii: "0"))
  } else {
    for place in -expansion.point..<0 { bytes.append(UInt8(ascii: "0") + expansion.digit(afterPoint: place)) }
  }
  if decimals > 0 { bytes.append(UInt8(ascii: ".")) }
  for place in 0..<decimals { bytes.append(UInt8(ascii: "0") + expansion.digit(afterPoint: place)) }
  return String(decoding: bytes, as: UTF8.self)
}
