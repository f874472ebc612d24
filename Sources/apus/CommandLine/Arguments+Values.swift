import Preparation
import Training

// Values of options that are more than text.
extension Arguments {
  /// What `--resume` and `--overwrite` say of a run that is there already.
  func runPolicy(_ syntax: Syntax) throws(UsageError) -> RunDirectory.Policy {
    guard !(has("--resume") && has("--overwrite")) else {
      throw UsageError("--resume and --overwrite exclude each other", syntax: syntax)
    }
    return has("--resume") ? .resume : has("--overwrite") ? .overwrite : .refuse
  }

  /// The number given for `option`; nil where it is not given.
  /// - Parameter what: what is wanted, in words, for the message.
  func number<Number: LosslessStringConvertible>(
    _ option: String, _ what: String, _ syntax: Syntax
  ) throws(UsageError) -> Number? {
    guard let text = value(option) else { return nil }
    guard let number = Number(text) else {
      throw UsageError("\(option) needs \(what), not '\(text)'", syntax: syntax)
    }
    return number
  }

  /// The case given for `option`, by its raw value; nil where it is not given.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ option: String, _ syntax: Syntax
  ) throws(UsageError) -> Choice? {
    guard let text = value(option) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw UsageError.unknown("value for \(option):", text, among: Choice.allCases.map(\.rawValue), of: syntax)
    }
    return choice
  }

  /// What `--sample`, `--sample-by` and `--sample-weight` ask for.
  func sample(_ syntax: Syntax) throws(UsageError) -> SampleSettings? {
    guard let text = value("--sample") else {
      if let option = ["--sample-by", "--sample-weight"].first(where: has) {
        throw UsageError("\(option) goes with --sample", syntax: syntax)
      }
      return nil
    }
    var size: SampleSettings.Size?
    if let rows = Int(text), rows > 0 {
      size = .rows(rows)
    } else if text.hasSuffix("%"), let percents = Double(text.dropLast()), percents > 0, percents <= 100 {
      size = .fraction(percents / 100)
    } else if text.contains("."), let fraction = Double(text), fraction > 0, fraction <= 1 {
      size = .fraction(fraction)
    }
    guard let size else {
      throw UsageError(
        "--sample needs a number of rows, as 10000, or a part of them, as 0.1 or 10%, not '\(text)'", syntax: syntax)
    }
    return SampleSettings(size, by: value("--sample-by"), weight: value("--sample-weight"))
  }
}
