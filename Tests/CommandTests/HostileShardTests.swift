import Data
import Foundation
import TestSupport
import Testing

/// Shards on which the HDF5 library crashes, hangs or asks for all memory: the training says so and ends, as with any bad shard.
@Suite(.enabled(if: Python.isAvailable), .serialized) struct HostileShardTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("hostile") }

  /// A program that dies where it would look into a file called `bad`, and is `apus` for all others.
  private func dyingProgram(_ death: String) throws -> String {
    try folder.write(
      text: """
        #!/bin/bash
        words=("${@:1:6}")
        for path in "${@:7}"; do
          if [[ $path == */bad-* ]]; then '\(Binaries.apus)' "${words[@]}"; \(death); fi
          words+=("$path")
        done
        exec '\(Binaries.apus)' "${words[@]}"
        """, to: "dying")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("dying"))
    return folder.file("dying")
  }

  private func describe(_ paths: [String], program: String) throws -> [ShardDescription] {
    ShardInspector.use(program: program)
    defer { ShardInspector.use(program: nil) }
    return try ShardInspector.describe(paths, features: "features", targets: "targets", scanLabels: true)
  }

  @Test(arguments: [
    ("kill -SEGV $$", "crashes the HDF5 library (signal 11"), ("kill -XCPU $$", "takes too long (signal 24"),
    ("exit 1", "crashes the HDF5 library (exit code 1"), ("kill -KILL $$", "crashes the HDF5 library (signal 9"),
  ])
  func deathOfTheInspector(_ death: String, _ message: String) throws {
    let good = BadInputFiles.shared.path("good")
    let paths = ["part-0.h5", "bad-1", "part-1.h5", "bad-2", "bad-3", "part-2.h5"].map { "\(good)/\($0)" }
    let found = try describe(paths, program: try dyingProgram(death))
    #expect(found.map(\.path) == paths)
    #expect(found.map(\.rows) == [40, 0, 41, 0, 0, 42])
    for (path, description) in zip(paths, found) where path.contains("/bad-") {
      #expect(description.failure?.message.hasPrefix("'\(path)' \(message)") == true, "\(description)")
      #expect(description.failure?.kind == .invalid)
    }
    // The same as a look from within the process.
    #expect(
      found[0] == ShardDescription.attempt(path: paths[0], features: "features", targets: "targets", scanLabels: true))
    #expect(found[0].labels?.maximum == 2)
  }

  /// More than go on one command line.
  @Test func manyShards() throws {
    let path = BadInputFiles.shared.path("good/part-3.h5")
    let found = try describe(Array(repeating: path, count: 450), program: Binaries.apus)
    #expect(found.count == 450 && found.allSatisfy { $0.rows == 43 && $0.failure == nil })
  }

  /// Bytes changed at random, in the formats of old and of new writers, and thus in the middle of every structure that the library
  /// follows without much care.
  @Test func changedFiles() throws {
    try Python.text(
      """
      import h5py, numpy as np, random
      random.seed(11)
      for version in ("earliest", "latest"):
          with h5py.File("whole.h5", "w", libver=version) as file:
              x = np.random.default_rng(1).normal(size=(300, 6)).astype("f4")
              file.create_dataset("features", data=x, chunks=(16, 6), compression="gzip", shuffle=True, fletcher32=True)
              file.create_dataset("targets", data=np.arange(300) % 3, chunks=(50,), maxshape=(None,))
              file["features"].attrs["names"] = ["a", "b"]
          whole = open("whole.h5", "rb").read()
          for number in range(150):
              changed = bytearray(whole)
              for _ in range(random.choice([1, 1, 2, 8])):
                  changed[random.randrange(len(changed))] = random.choice([0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)])
              open(f"{version}-{number}.h5", "wb").write(changed)
      """, workingDirectory: folder.path)
    let paths = try folder.names().filter { $0.contains("-") && $0.hasSuffix(".h5") }.map { folder.file($0) }
    #expect(paths.count == 300)
    let start = ContinuousClock.now
    let found = try describe(paths, program: Binaries.apus)
    #expect(ContinuousClock.now - start < Patience.most)
    #expect(found.map(\.path) == paths)
    let sound = found.count { $0.failure == nil }
    #expect((1..<300).contains(sound), "\(sound)")
    for failure in found.compactMap(\.failure) { #expect(failure.message.contains(folder.path), "\(failure)") }
  }

  /// Sizes that nothing stands behind, and zeros that were compressed a thousandfold: refused at once, before anything is made for them,
  /// in the process that looks and in the one that asks it.
  @Test func bombs() throws {
    try Python.text(
      """
      import h5py, numpy as np
      with h5py.File("bomb-0.h5", "w") as file:
          file.create_dataset("features", data=np.zeros((1 << 18, 256), "f4"), chunks=(1 << 14, 256), compression=9)
          file["targets"] = np.zeros(1 << 18, "i4")
      for number, (shape, chunks) in enumerate([((1 << 40, 5), (8, 5)), ((40, 1 << 40), (1, 1 << 28)), ((40, 5), (1 << 29, 1))]):
          with h5py.File(f"bomb-{number + 1}.h5", "w") as file:
              file.create_dataset("features", shape, "f4", chunks=chunks, maxshape=(None, None)); file["targets"] = np.zeros(40, "i4")
      """, workingDirectory: folder.path)
    for number in 0..<4 {
      let path = folder.file("bomb-\(number).h5")
      let start = ContinuousClock.now
      let found = try describe([path], program: Binaries.apus)
      #expect(ContinuousClock.now - start < Patience.seconds)
      #expect(found[0].failure?.message.contains("declares") == true, "\(found)")
      let look = try Run.program(
        Binaries.apus, [ShardInspector.command, "labels", "-", "features", "targets", "targets", path])
      #expect(look.exitCode == 0 && look.peakMemoryBytes < 100_000_000, "\(look.peakMemoryBytes) bytes")
    }
  }

  /// The public reproducers of the library's published faults (github.com/HDFGroup/cve_hdf5; without the four largest, and with
  /// their licence): first as a data set that has no `features`, of which all data sets are listed, then with each of those as features.
  @Test func publishedFaults() throws {
    try Python.text(
      "import sys, tarfile; tarfile.open(sys.argv[1]).extractall()",
      [PackageRoot.file("Tests/CommandTests/Reference/hdf5-cve.tar.xz")], workingDirectory: folder.path)
    let paths = try ["cvefiles", "fuzzerfiles"].flatMap { inner in
      try folder.names(in: inner).map { folder.file("\(inner)/\($0)") }
    }
    #expect(paths.count == 143)
    let start = ContinuousClock.now
    var found = try describe(paths, program: Binaries.apus)
    #expect(found.map(\.path) == paths && found.allSatisfy { $0.failure?.kind == .invalid })
    for (path, description) in zip(paths, found) {
      for line in description.failure?.message.split(separator: "\n").dropFirst() ?? [] {
        guard let name = line.wholeMatch(of: #/  (.+)  [^ ]+ \(.*\)/#)?.1 else { continue }
        ShardInspector.use(program: Binaries.apus)
        defer { ShardInspector.use(program: nil) }
        let since = ContinuousClock.now
        found += try ShardInspector.describe([path], features: String(name), targets: nil, scanLabels: false)
        #expect(ContinuousClock.now - since < Patience.seconds, "\(path)")
      }
    }
    #expect(ContinuousClock.now - start < Patience.most)
    // Some crash the library that is installed here, others are merely damaged, and some can be read.
    let crashing = found.filter { $0.failure?.message.contains("crashes the HDF5 library") == true }
    #expect(crashing.count >= 5 && found.count > paths.count + 20, "\(crashing.count) of \(found.count)")
    for path in Set(crashing.map(\.path)).sorted() {
      let result = try CommandLineRun.apus(["inspect", path], ranks: 0, in: folder)
      #expect([0, 65].contains(result.exitCode) && result.duration < Patience.seconds, "\(result)")
    }
    // The trainer itself, on two ranks.
    let worst = try #require(crashing.first)
    try folder.write(
      text: "{ model: { kind: \"linear\" }, data: { path: \"\(worst.path)\", features: \"\(worst.features)\" } }",
      to: "job.json")
    try CommandLineRun.fail(
      ["train", "job.json"], ranks: 2, in: folder, code: 65, says: [worst.path, "crashes the HDF5 library (signal"])
  }

  /// `inspect` looks into files in a process of its own as well: whatever that does, the program ends with a message.
  @Test func inspectSurvivesChangedFiles() throws {
    try Python.text(
      """
      import random
      random.seed(5)
      whole = open("WHOLE", "rb").read()
      for number in range(40):
          changed = bytearray(whole)
          for _ in range(4): changed[random.randrange(2048)] = random.choice([0, 1, 0x7F, 0x80, 0xFF])
          open(f"changed-{number}.h5", "wb").write(changed)
      """.replacing("WHOLE", with: BadInputFiles.shared.path("good/part-0.h5")), workingDirectory: folder.path)
    for number in 0..<40 {
      let result = try CommandLineRun.apus(["inspect", "changed-\(number).h5"], ranks: 0, in: folder)
      #expect([0, 65].contains(result.exitCode) && result.duration < Patience.seconds, "\(result)")
      #expect(result.messages.count == (result.exitCode == 0 ? 0 : 1), "\(result)")
    }
  }

  /// Under `mpirun` all ranks end with the one message; the rank that looked is no other than those that did not.
  @Test func trainingEndsWithTheMessage() throws {
    for number in 0..<3 {
      try FileManager.default.copyItem(
        atPath: BadInputFiles.shared.path("good/part-\(number).h5"), toPath: folder.file("part-\(number).h5"))
    }
    // One dimension of the features is far larger than what is stored.
    try Python.text(
      "import h5py\\nwith h5py.File('part-1.h5', 'r+') as f: del f['features']; f.create_dataset('features', (2**40, 5), 'f4', chunks=(8, 5))"
        .replacing("\\n", with: "\n"), workingDirectory: folder.path)
    try folder.write(text: "{ model: { kind: \"mlp\", hidden: [4] }, data: { path: \"part-*.h5\" } }", to: "job.json")
    try CommandLineRun.fail(
      ["train", "job.json"], ranks: 3, in: folder, code: 65,
      says: ["part-1.h5", "declares 21990232555520 bytes and stores"])
  }
}
