import Glibc
import TestSupport
import Testing

@testable import Files
@testable import Training

@Suite struct CheckpointStoreTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory("checkpoints") }

  private func store(keep: Int = 2) -> CheckpointStore { CheckpointStore(directory: directory.file("c"), keep: keep) }

  private var names: [String] { (try? directory.names(in: "c")) ?? [] }

  private func save(
    _ store: CheckpointStore, _ step: Int, _ text: String = "x", nextFiles: Set<String>? = nil, warning: String = ""
  ) throws {
    let folder = try store.begin()
    let bytes = Array("\(text) \(step)".utf8)
    try FileSystem.writeThrough(bytes, to: folder + "/data")
    let entry = CheckpointManifest.Entry(name: "data", bytes: bytes.count, checksum: Checksum(of: bytes).hex)
    let said = try store.commit(step: step, [entry], nextFiles: nextFiles)
    #expect(warning.isEmpty ? said.isEmpty : said.contains(warning))
  }

  /// The newest checkpoint by the name of its folder, and the warnings.
  private func newest(_ store: CheckpointStore) throws -> (name: String?, warnings: [String]) {
    var warnings: [String] = []
    let path = try store.newest { warnings.append($0) }
    return (path.map { String($0.split(separator: "/").last ?? "") }, warnings)
  }

  @Test func nothingThere() throws {
    #expect(try newest(store()).name == nil)
    try FileSystem.createDirectory(directory.file("c"))
    #expect(try newest(store()).name == nil && newest(store()).warnings.isEmpty)
  }

  @Test(arguments: 1...3) func theLastOnesAreKept(keep: Int) throws {
    let store = store(keep: keep)
    for step in [1, 5, 999_999_999, 1_000_000_000, 12_000_000_000] { try save(store, step) }
    let all = ["step-000000001", "step-000000005", "step-999999999", "step-1000000000", "step-12000000000"]
    #expect(names.sorted() == all.suffix(keep).sorted())
    // By number, not by name.
    #expect(try newest(store).name == all.last)
  }

  /// A checkpoint that is damaged is passed over with a warning, and those before it are still there.
  @Test func damagedOnesArePassedOver() throws {
    let store = store(keep: 3)
    for step in [10, 20, 30] { try save(store, step) }
    try directory.write(text: "y 30", to: "c/step-000000030/data")
    #expect(try newest(store).name == "step-000000020")
    #expect(try newest(store).warnings.count == 1 && newest(store).warnings[0].contains("c/step-000000030/data"))
    try FileSystem.remove(directory.file("c/step-000000020/manifest.json"))
    #expect(try newest(store).name == "step-000000010" && newest(store).warnings.count == 2)
    try FileSystem.removeTree(directory.file("c/step-000000010/data"))
    #expect(try newest(store).name == nil && newest(store).warnings.count == 3)
  }

  /// A folder that was renamed by hand is not the checkpoint of another step.
  @Test func renamedFoldersAreNotBelieved() throws {
    let store = store()
    try save(store, 10)
    try FileSystem.rename(directory.file("c/step-000000010"), to: directory.file("c/step-000000011"))
    #expect(try newest(store).name == nil)
  }

  @Test func otherNamesAreLeftAlone() throws {
    let store = store(keep: 1)
    let unfinished = [".partial", ".removed-step-000000006"]
    for name in ["step-abc", "step-", "notes", "step-99999999999999999999", ".partial-notes"] + unfinished {
      try directory.write(text: "", to: "c/\(name)/file")
    }
    try store.removeUnfinished()
    for step in [7, 8] { try save(store, step) }
    #expect(try newest(store).name == "step-000000008")
    #expect(names == [".partial-notes", "notes", "step-", "step-000000008", "step-99999999999999999999", "step-abc"])
  }

  /// A checkpoint that cannot be finished leaves nothing, and the older ones as they were; one that was cut off is no hindrance.
  @Test func failureLeavesTheOlderOnes() throws {
    let store = store(keep: 1)
    try save(store, 1)
    let folder = try store.begin()
    try FileSystem.write([1, 2, 3], to: folder + "/data")
    #expect(try newest(store).name == "step-000000001")
    // Another rank, which is later.
    #expect(try store.begin() == folder && FileSystem.list(folder) == ["data"])
    store.giveUp()
    #expect(names == ["step-000000001"])
    #expect(try newest(store).name == "step-000000001")
  }

  /// A run that was resumed may save the step that it was resumed from once more.
  @Test func sameStepTwice() throws {
    let store = store()
    try save(store, 4, "first")
    try save(store, 4, "second")
    #expect(try directory.readText("c/step-000000004/data") == "second 4")
    #expect(try newest(store).name == "step-000000004")
  }

  /// A run that has gone back behind a damaged checkpoint: the damaged one goes, and not the new one.
  @Test func laterOnesThatAreDamagedGo() throws {
    let store = store(keep: 1)
    try save(store, 30)
    try directory.write(text: "y 30", to: "c/step-000000030/data")
    try save(store, 25)
    #expect(names == ["step-000000025"])
    #expect(try newest(store).name == "step-000000025" && newest(store).warnings.isEmpty)
  }

  /// The next checkpoint takes over the files of one that goes; not those that others reach under another name, or have put there.
  @Test func filesAreUsedAgain() throws {
    let store = store(keep: 1)
    try save(store, 1)
    let old = directory.file("c/step-000000001")
    try directory.write(text: "mine", to: "mine")
    try directory.write(text: "there", to: "c/step-000000001/state")
    #expect(link(old + "/state", directory.file("linked")) == 0)
    #expect(symlink(directory.file("mine"), old + "/best") == 0)
    try directory.write(text: "there", to: "c/step-000000001/notes/file")
    let number = try FileSystem.status(of: old + "/data")?.number
    try save(store, 2, nextFiles: ["data", "state", "best"])
    #expect(names == [".partial", "step-000000002"])
    #expect(try FileSystem.list(directory.file("c/.partial")) == ["data", "manifest.json"])
    #expect(try newest(store).name == "step-000000002")
    // Longer and shorter than what was there.
    try save(store, 3, "long enough", nextFiles: ["data"])
    #expect(try FileSystem.status(of: directory.file("c/step-000000003/data"))?.number == number)
    #expect(try newest(store).name == "step-000000003" && newest(store).warnings.isEmpty)
    try save(store, 4, "", nextFiles: [])
    #expect(try newest(store).name == "step-000000004" && newest(store).warnings.isEmpty)
    #expect(try FileSystem.list(directory.file("c/.partial")) == ["manifest.json"])
    store.giveUp()
    #expect(names == ["step-000000004"])
    #expect(try directory.readText("linked") == "there" && directory.readText("mine") == "mine")
  }

  /// What cannot be removed is told, and the new checkpoint is there.
  @Test func olderOnesThatCannotBeRemoved() throws {
    let store = store(keep: 1)
    try save(store, 1)
    try FaultPlan.$current.withValue(FaultPlan(calls: [.unlink], first: 1, effect: .fail(EIO))) {
      try save(store, 2, warning: "an older checkpoint could not be removed: ")
    }
    #expect(names == [".removed-step-000000001", "step-000000002"])
    try store.removeUnfinished()
    #expect(names == ["step-000000002"])
  }
}
