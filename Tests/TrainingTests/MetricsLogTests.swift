import JSON
import TestSupport
import Testing

@testable import Files
@testable import Training

@Suite struct MetricsLogTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory("log") }

  private func cut(_ text: String, after step: Int?) throws -> String {
    let path = try directory.write(text: text, to: "metrics.jsonl")
    let log = try MetricsLog(path: path, keepingThrough: step)
    try log.append([("step", .integer((step ?? 0) + 1)), ("loss", .number(0.5))])
    try log.synchronize()
    return try directory.readText("metrics.jsonl")
  }

  private let lines = (1...12).map { "{\"step\":\($0),\"loss\":\(Double($0))}\n" }

  @Test func linesOfLaterStepsAreDropped() throws {
    for step in 0...12 {
      #expect(
        try cut(lines.joined(), after: step) == lines[..<step].joined() + "{\"step\":\(step + 1),\"loss\":0.5}\n")
    }
  }

  /// A log that is longer than what is looked at first, with lines that are longer than that.
  @Test(arguments: [10, 1_000, 300_000]) func longLogs(characters: Int) throws {
    let filling = String(repeating: "x", count: characters)
    let lines = (1...max(5, 500_000 / characters)).map { "{\"step\":\($0),\"text\":\"\(filling)\"}\n" }
    for step in [0, 1, lines.count / 2, lines.count - 1, lines.count] {
      let expected = lines[..<step].joined() + "{\"step\":\(step + 1),\"loss\":0.5}\n"
      #expect(try cut(lines.joined() + "{\"st", after: step) == expected, "\(step)")
    }
  }

  /// Who follows the log, as with `tail -f`, follows it through a restart.
  @Test func itStaysTheSameFile() throws {
    let path = try directory.write(text: lines.joined(), to: "metrics.jsonl")
    let number = try FileSystem.status(of: path)?.number
    _ = try MetricsLog(path: path, keepingThrough: 5)
    #expect(try FileSystem.status(of: path)?.number == number)
  }

  /// Both lines of a step stay: that of the step and that of the validation after it.
  @Test func validationLinesStay() throws {
    let text = #"{"step":3,"loss":1}"# + "\n" + #"{"step":3,"validation_loss":2}"# + "\n"
    #expect(try cut(text + #"{"step":4,"loss":1}"# + "\n", after: 3) == text + #"{"step":4,"loss":0.5}"# + "\n")
  }

  /// A crash may leave a line that is not whole; the next line must not be glued to it.
  @Test func halfALineIsDropped() throws {
    for rest in [#"{"step":3,"lo"#, "{", #"{"step":3}"#, "\u{0}\u{0}\u{0}", "not JSON\n", "{}\n", "\n\n"] {
      let whole = rest == #"{"step":3}"# ? rest + "\n" : ""
      let expected = lines[..<2].joined() + whole + "{\"step\":4,\"loss\":0.5}\n"
      #expect(try cut(lines[..<2].joined() + rest, after: 3) == expected, "\(rest)")
    }
  }

  @Test func aNewRunBeginsANewLog() throws {
    #expect(try cut(lines.joined(), after: nil) == "{\"step\":1,\"loss\":0.5}\n")
    let log = try MetricsLog(path: directory.file("other.jsonl"), keepingThrough: 5)
    try log.append([("step", .integer(6))])
    #expect(try directory.readText("other.jsonl") == "{\"step\":6}\n")
  }
}
