import Foundation
import Glibc
import TestSupport
import Testing

/// `apus stream` on streams of a Redis that the test starts.
@Suite(.serialized, .enabled(if: RedisServer.isAvailable, "needs the redis-tools of Scripts/setup"))
struct StreamRedisTests {
  private static let rows = 4000

  /// Rows `range` of `StreamFolder.csv` as fields.
  private static func entries(_ range: Range<Int>) -> [[(String, String)]] {
    StreamFolder.csv(range, header: false).split(separator: "\n").map { line in
      Array(zip(["id", "a", "b", "target"], line.split(separator: ",").map(String.init)))
    }
  }

  @Test func learnsWhatAFileGives() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let server = try RedisServer()
    try files.write(text: StreamFolder.csv(0..<Self.rows), to: "rows.csv")
    try folder.job(["rows.csv"], output: "file")
    try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
    // Fields in any order, with others among them: the first entry says which columns there are.
    let entries = Self.entries(0..<Self.rows)
    try server.add(
      entries.enumerated().map { $0 < 10 ? $1 : Array($1.reversed()) + [("more", "x")] }, to: "fields")
    let lines = StreamFolder.jsonLines(0..<Self.rows).split(separator: "\n")
    try server.add(lines.map { [("row", String($0))] }, to: "json")
    for key in ["fields", "json"] {
      try folder.job([server.source(key)], output: key)
      let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
      #expect(result.standardOutput.contains("4,000 rows"), "\(result)")
      #expect(try files.read("\(key)/model.safetensors").suffix(16) == files.read("file/model.safetensors").suffix(16))
      #expect(try folder.positions(key)[server.source(key)]?["rows"] as? Int == Self.rows)
      #expect(
        try Self.group(server, key) == [
          "last-delivered-id": "0-4000", "entries-read": "4000", "lag": "0", "pending": "0",
        ])
    }
  }

  /// Where the group of the job stands.
  private static func group(_ server: RedisServer, _ key: String) throws -> [String: String] {
    let words = try server.ask("XINFO", "GROUPS", key).split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
    var found: [String: String] = [:]
    for index in stride(from: 0, to: words.count - 1, by: 2) where words[index] != "name" && words[index] != "consumers"
    {
      found[words[index]] = words[index + 1]
    }
    return found
  }

  /// Entries that cannot be learned are left out and named by their ids.
  @Test func entriesThatAreNotAsTheyShouldBe() throws {
    let folder = try StreamFolder()
    let server = try RedisServer()
    var entries = Self.entries(0..<100)
    entries[10][1].1 = "one"
    entries[20][3].1 = "7"
    entries[30] = [("target", "1")]
    entries[40][2].1 = ""
    entries[50] = [("row", "{\"id\": 50")]
    entries[60] = [("id", "60"), ("a", "1"), ("b", "2")]
    try server.add(entries, to: "rows")
    try folder.job([server.source("rows")])
    let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: folder.directory)
    #expect(
      result.standardOutput.contains("94 rows") && result.standardOutput.contains("4 malformed, 2 incomplete"),
      "\(result)")
    #expect(result.standardError.contains("entry 0-11 of 'redis"), "\(result)")
  }

  /// An update reaches the model within milliseconds, and the group moves with the checkpoints alone.
  @Test func readsEntriesAsTheyCome() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let server = try RedisServer()
    try folder.job(
      [server.source("rows")], stream: "follow: true, log_rows: 50, limit: 400, idle: \"300s\"",
      "checkpoint: { every_rows: 300, every_seconds: 0 }")
    let running = try Run.start(
      Binaries.fastest, ["stream", "job.json"], environment: MPILauncher.environment, workingDirectory: files.path)
    // The group is there before the first entry.
    #expect(running.wait { (try? Self.group(server, "rows")["last-delivered-id"]) == "0-0" })
    try server.add(Self.entries(0..<200), to: "rows")
    #expect(running.wait { ((try? folder.metrics().last?["rows"] as? Int) ?? 0) > 150 })
    #expect(try Self.group(server, "rows")["last-delivered-id"] == "0-0")
    for row in 200..<300 { try server.add(Self.entries(row..<row + 1), to: "rows", after: row) }
    #expect(running.wait { (try? Self.group(server, "rows")["last-delivered-id"]) == "0-300" })
    for row in 300..<400 { try server.add(Self.entries(row..<row + 1), to: "rows", after: row) }
    let result = running.wait()
    #expect(result.exitCode == 0 && result.standardOutput.contains("400 rows"), "\(result)")
    #expect(try Self.group(server, "rows")["last-delivered-id"] == "0-400")
    // The best line: on a busy machine a row may wait for a processor.
    let median = try #require(try folder.metrics().compactMap { $0["latency_median"] as? Double }.min())
    #expect(median < 0.005, "\(median)")
  }

  // MARK: Kills

  /// Starts the writer of Jobs/redis-stream on rows `range`.
  private static func writer(_ server: RedisServer, _ key: String, _ range: Range<Int>, rate: Int) throws
    -> RunningProgram
  {
    try Run.start(
      PackageRoot.file("Jobs/redis-stream/send"), [server.source(key), "--rate", "\(rate)"],
      input: StreamFolder.csv(range))
  }

  /// Ranks, writers and the server are killed again and again, and every row of both streams is learned once.
  @Test func nothingIsLostOrDoubledByKills() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let server = try RedisServer()
    let (count, rate) = (12_000, 4_000)
    let parts = ["a": 0..<count, "b": count..<2 * count]
    try folder.job(
      parts.keys.sorted().map { server.source($0) },
      stream: "follow: true, limit: \(count), combine_every: 8", "checkpoint: { every_rows: 600 }")
    var writers: [String: RunningProgram] = [:]
    for (key, range) in parts { writers[key] = try Self.writer(server, key, range, rate: rate) }
    func start(ranks: Int) throws -> RunningProgram {
      try MPILauncher.start(
        ranks: ranks, Binaries.fastest, ["stream", "job.json", "--resume"], options: CommandLineRun.impatient,
        workingDirectory: files.path)
    }
    func learned() -> Int { ((try? folder.metrics()) ?? []).compactMap { $0["rows"] as? Int }.last ?? 0 }
    var running = try start(ranks: 2)
    for round in 1...3 {
      #expect(
        running.wait { learned() >= round * 3000 }, "\(round): \(running.errorSoFar)")
      switch round {
      case 1:
        server.kill()
        usleep(300_000)
        try server.start()
      case 2:
        kill(try CommandLineRun.process(ofRank: 1, in: running), SIGKILL)
        #expect(running.wait().exitCode != 0)
        running = try start(ranks: 1)
      default:
        for (key, range) in parts {
          writers[key]?.send(SIGKILL)
          _ = writers[key]?.wait()
          writers[key] = try Self.writer(server, key, range, rate: rate)
        }
      }
    }
    let result = running.wait()
    #expect(result.exitCode == 0, "\(result)")
    let positions = try folder.positions()
    for key in parts.keys {
      let position = try #require(positions[server.source(key)])
      #expect(position["rows"] as? Int == count)
      #expect((position["entry"] as? [String: Any])?["missing"] as? Int == 0)
      #expect(try Self.group(server, key)["last-delivered-id"] == "0-\(count)")
    }
    #expect(abs(try folder.means()[0] - Double(2 * count - 1) / 2) < 1e-4)
    #expect(!result.standardError.contains("gone") || result.standardError.contains("is back"), "\(result)")
  }

  /// A server that is away for a while is waited for, one that stays away is an error, and so is one that says nothing.
  @Test func aServerThatIsAway() throws {
    let folder = try StreamFolder()
    let server = try RedisServer()
    try server.add(Self.entries(0..<500), to: "rows")
    try folder.job([server.source("rows")], stream: "follow: true")
    func start(_ patience: String) throws -> RunningProgram {
      let running = try Run.start(
        Binaries.fastest, ["stream", "job.json", "--resume", "--set", "redis.patience=\(patience)"],
        environment: MPILauncher.environment, workingDirectory: folder.directory.path)
      #expect(running.wait { running.errorSoFar.contains("learning") }, "\(running.errorSoFar)")
      server.kill()
      #expect(running.wait { running.errorSoFar.contains("trying again for up to") }, "\(running.errorSoFar)")
      return running
    }
    let patient = try start("900s")
    try server.start()
    #expect(patient.wait { patient.errorSoFar.contains("is back") }, "\(patient.errorSoFar)")
    patient.send(SIGTERM)
    #expect(patient.wait().exitCode == 75)
    let result = try start("500ms").wait()
    #expect(result.exitCode == 69 && result.standardError.contains("has not come back for 500 ms"), "\(result)")
    #expect(result.standardError.contains("redis.patience"), "\(result)")
  }

  /// A server that has lost what it had not written, and one whose stream was trimmed too early: the policy's word for it.
  @Test func entriesThatAreGone() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let server = try RedisServer()
    try server.add(Self.entries(0..<500), to: "rows")
    try folder.job([server.source("rows")])
    let first = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
    #expect(first.standardOutput.contains("500 rows"))
    try server.add(Self.entries(500..<800), to: "rows", after: 500)
    try server.ask("XTRIM", "rows", "MAXLEN", "200")
    try CommandLineRun.fail(
      ["stream", "job.json", "--resume", "--set", "redis.missing=fail"], ranks: 0, in: files, code: 65,
      says: ["100 entries", "redis.missing"])
    let trimmed = try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 0, in: files)
    #expect(trimmed.standardOutput.contains("700 rows"), "\(trimmed)")
    #expect(trimmed.standardError.contains("100 entries of 'rows'"), "\(trimmed)")
    #expect((try folder.positions()[server.source("rows")]?["entry"] as? [String: Any])?["missing"] as? Int == 100)

    // The server comes back with nothing, and the writer sends what the server should have once more, and ten rows.
    server.kill()
    try server.forget()
    try server.start()
    try server.add(Self.entries(0..<810), to: "rows")
    try server.ask("XTRIM", "rows", "MAXLEN", "5")
    try server.add(Self.entries(810..<820), to: "rows", after: 810)
    try server.ask("DEL", "rows")
    try server.add(Self.entries(0..<100), to: "rows")
    let lost = try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 0, in: files)
    #expect(lost.standardOutput.contains("700 rows") && lost.standardError.contains("lost its tail"), "\(lost)")
    try server.add(Self.entries(100..<810), to: "rows", after: 100)
    let again = try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 0, in: files)
    #expect(again.standardOutput.contains("710 rows") && !again.standardError.contains("warning"), "\(again)")
  }

  /// What the checkpoint before the last one holds is taken away, and a run without a checkpoint may begin where the group stands.
  @Test func trimmingAndGroups() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let server = try RedisServer()
    try server.add(Self.entries(0..<1000), to: "rows")
    try folder.job(
      [server.source("rows")], "redis: { trim: true, group: \"learner\" }, checkpoint: { every_rows: 300 }")
    try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
    let left = try #require(Int(try server.ask("XLEN", "rows")))
    #expect(left > 0 && left <= 401, "\(left)")
    try server.add(Self.entries(1000..<1100), to: "rows", after: 1000)
    try folder.job(
      [server.source("rows")], "redis: { start: \"group\", group: \"learner\" }", name: "next.json", output: "next")
    let next = try CommandLineRun.succeed(["stream", "next.json"], ranks: 0, in: files)
    #expect(next.standardOutput.contains("100 rows"), "\(next)")
    // A group that nobody has made begins at the end.
    try folder.job(
      [server.source("rows")], "redis: { start: \"group\", group: \"new\" }", name: "new.json", output: "new")
    let none = try CommandLineRun.apus(["stream", "new.json"], ranks: 0, in: files)
    #expect(none.exitCode == 65 && none.standardError.contains("have no rows"), "\(none)")
    #expect(try server.ask("XINFO", "GROUPS", "rows").contains("new"))
  }

  @Test func badServers() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let server = try RedisServer()
    try server.ask("SET", "text", "x")
    func fails(_ source: String, _ code: Int32, _ says: [String], _ rest: String = "") throws {
      try folder.job([source], rest)
      try CommandLineRun.fail(["stream", "job.json", "--overwrite"], ranks: 0, in: files, code: code, says: says)
    }
    try fails(server.source("nothing"), 66, ["there is no stream 'nothing'", "stream.follow"])
    try fails(server.source("text"), 65, ["'text'", "holds no stream"])
    let web = try FakeServer(answering: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    try fails("redis+unix://\(web.socket)?key=rows", 69, ["is no Redis"])
    withExtendedLifetime(web) {}
    // A warning comes first: the server may come.
    try folder.job(["redis+unix:///nowhere?key=rows"], "redis: { patience: \"100ms\" }")
    let away = try CommandLineRun.apus(["stream", "job.json", "--overwrite"], ranks: 0, in: files)
    #expect(away.exitCode == 69 && away.standardError.contains("cannot connect to /nowhere"), "\(away)")
    #expect(away.standardError.contains("has not come back for 100 ms"), "\(away)")
    let locked = try RedisServer(["--requirepass", "secret"])
    try fails(locked.source("rows"), 77, ["NOAUTH", "REDISCLI_AUTH"])
    try files.write(text: "wrong\n", to: "password")
    try fails(locked.source("rows"), 77, ["WRONGPASS"], "redis: { password_file: \"password\" }")
    try fails(locked.source("rows"), 66, ["cannot open 'nowhere'"], "redis: { password_file: \"nowhere\" }")
    try files.write(text: "secret\n", to: "password")
    try fails(locked.source("rows"), 66, ["there is no stream"], "redis: { password_file: \"password\" }")
    try fails("redis://:secret@localhost?key=rows", 78, ["stream.sources", "holds a password"])
    try fails("rediss://localhost?key=rows", 78, ["begins with neither"])
    let full = try RedisServer(["--maxmemory", "1mb"])
    try fails(full.source("rows"), 66, ["there is no stream"])
  }

  /// A server without memory refuses its writer, and is read nevertheless.
  @Test func aFullServerIsRead() throws {
    let folder = try StreamFolder()
    let server = try RedisServer()
    try server.add(Self.entries(0..<500), to: "rows")
    try server.ask("CONFIG", "SET", "maxmemory", "1")
    #expect(try server.ask("XADD", "rows", "*", "a", "1").contains("OOM"))
    try folder.job([server.source("rows")])
    let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: folder.directory)
    #expect(result.standardOutput.contains("500 rows") && result.standardError.contains("is not kept"), "\(result)")
  }
}
