import Failures
import JSON
import Planning
import Testing

@Suite struct MachineProfileTests {
  private func read(_ text: String) throws -> MachineProfile {
    try MachineProfile(parsing: Array(text.utf8), source: "node.json")
  }

  @Test func writtenAndRead() throws {
    let profile = PlanningProblem.profile(exchange: CostCurve(latency: 0.5, rate: 4))
    #expect(try read(profile.json.serialized(pretty: true)) == profile)
  }

  @Test(arguments: [
    ("{", "node.json:1:2: "), ("[]", "node.json:1:1: 'host' is missing: a text"),
    ("{host: 1}", "node.json:1:8: 'host' must be a text"),
    ("{host: 'a', ranks: 0}", "node.json:1:20: 'ranks' must be an integer from 1"),
    ("{host: 'a', ranks: 1, memory_bytes: 1, layers: []}", "'layers' has no layer"),
    (
      "{host: 'a', ranks: 1, memory_bytes: 1, layers: [{inputs: 1, outputs: 0}]}", "'outputs' must be an integer from 1"
    ),
    (
      "{host: 'a', ranks: 1, memory_bytes: 1, layers: [{inputs: 1, outputs: 1, role: 'odd'}]}",
      "'role' must be first, inner, last or only"
    ),
    (
      "{host: 'a', ranks: 1, memory_bytes: 1, layers: [{inputs: 1, outputs: 1, role: 'only', forward: [[1]]}]}",
      "'forward' must be a list of [size, microseconds], not empty"
    ),
    (
      "{host: 'a', ranks: 1, memory_bytes: 1, layers: [{inputs: 1, outputs: 1, role: 'only', forward: [[1, -1]]}]}",
      "'forward' must be a list of [size, microseconds], not empty"
    ),
  ])
  func refused(_ text: String, _ words: String) {
    let failure = #expect(throws: Failure.self) { try read(text) }
    #expect(failure?.code == .invalidData && failure?.message.contains(words) == true, "\(String(describing: failure))")
  }
}
