import Testing

@testable import Launch

@Suite struct HostsTests {
  @Test func parsing() throws {
    let hosts = try #require(Hosts(parsing: "a:4,b,10.0.0.1:2"))
    #expect(hosts.list.map(\.name) == ["a", "b", "10.0.0.1"])
    #expect(hosts.list.map(\.slots) == [4, 1, 2])
    #expect(hosts.text == "a:4,b:1,10.0.0.1:2")
    #expect(hosts.slots == 7)
  }

  @Test(arguments: ["", "a,", "a:0", "a:x", "a:-1", ":3", "a,a", "-n", "a:1:2", "a:99999999999999999999"])
  func refused(_ text: String) { #expect(Hosts(parsing: text) == nil) }

  /// The ranks shrink with the slots, to a multiple of what the layout of the job asks for.
  @Test func share() throws {
    let all = try #require(Hosts(parsing: "a:4,b:4,c:4"))
    let two = all.without(["b"])
    #expect(two.text == "a:4,c:4")
    #expect(two.share(of: 12, among: all, multiple: 1) == 8)
    #expect(two.share(of: 12, among: all, multiple: 3) == 6)
    #expect(two.share(of: 5, among: all, multiple: 1) == 3)
    #expect(two.share(of: 1, among: all, multiple: 1) == 1)
    #expect(two.share(of: 3, among: all, multiple: 3) == 3)
  }

  @Test func command() throws {
    var plan = LaunchPlan()
    #expect(plan.command(["apus", "train"], on: nil) == ["mpirun", "apus", "train"])
    plan.hosts = Hosts(parsing: "a:2,b:2")
    plan.ranks = 4
    plan.launcherOptions = ["--oversubscribe"]
    #expect(
      plan.command(["x"], on: plan.hosts) == ["mpirun", "-n", "4", "--host", "a:2,b:2", "--oversubscribe", "x"])
    #expect(
      plan.command(["x"], on: plan.hosts?.without(["a"])) == [
        "mpirun", "-n", "2", "--host", "b:2", "--oversubscribe", "x",
      ])
    #expect(
      plan.probe(try #require(plan.hosts).list[1]) == ["mpirun", "-n", "1", "--host", "b", "--oversubscribe", "true"])
  }

  /// Only where there are several hosts, and not over what the user says.
  @Test func signsOfLife() {
    var plan = LaunchPlan()
    plan.hosts = Hosts(parsing: "a:2")
    #expect(plan.environment { _ in nil }.isEmpty)
    plan.hosts = Hosts(parsing: "a:2,b:2")
    let name = "OMPI_MCA_oob_tcp_keepalive_"
    #expect(
      plan.environment { $0.hasSuffix("time") ? "60" : nil } == ["\(name)intvl": "1", "\(name)probes": "3"])
  }
}
