import Data
import Foundation
import Kernels
import Model
import Optimization
import TestSupport
import Testing

@testable import Files
@testable import Training

/// What a crash leaves of a checkpoint that three ranks write: always one that is whole, and never a mix of two.
@Suite struct CrashStateTests {
  private static let ranks = 3

  /// What was done to the folder of a run, in stages: what ranks do at the same time, each its own operations.
  private struct Story {
    let prefix: String
    /// How many checkpoints are kept.
    let keep: Int
    /// For each stage the operations of each rank that has a part in it; the step that is complete when it ends.
    var stages: [(ranks: [[FileOperation]], completed: Int?)] = []
    /// The files of each step.
    var files: [Int: [String: [UInt8]]] = [:]
  }

  /// So many checkpoints that some take over the files of older ones, of which `keep` are kept. Every rank writes its share in a place of its own, so that all that it does is noted,
  /// whoever else may have been first.
  private static func record(keep: Int) throws -> Story {
    let scratch = try TemporaryDirectory("crash")
    let run = scratch.file("run")
    try FileSystem.createDirectory(run)
    // Made before anything is noted.
    _ = try description.get()
    var story = Story(prefix: run + "/", keep: keep)
    let store = CheckpointStore(directory: run + "/checkpoints", keep: keep)
    for step in steps(keep: keep) {
      var shares: [[SafetensorsPart]] = []
      var operations: [[FileOperation]] = []
      for rank in 0..<ranks {
        let own = scratch.file("rank")
        try FileSystem.removeTree(own)
        try FileSystem.createDirectory(own)
        let place = CheckpointStore(directory: own + "/checkpoints", keep: keep)
        let noted = try recorded { _ = try writeShare(of: rank, at: step, in: place) }
        operations.append(noted.map { $0.moved(from: own, to: run) })
        shares.append(try writeShare(of: rank, at: step, in: store))
      }
      story.stages.append((operations, nil))
      var warning = "none"
      let completion = try recorded { warning = try write(at: step, in: store).complete(shares) }
      #expect(warning == "")
      // The older checkpoint goes only when the new one has its name for sure.
      let named = try #require(
        completion.lastIndex { if case .rename(_, let to) = $0 { to == store.path(of: step) } else { false } })
      // Of the folder of checkpoints, and with the first of them of that in which it lies.
      let flushes = completion.indices.filter { if case .synchronize = completion[$0] { $0 > named } else { false } }
      let sure = try #require(flushes.dropFirst(step == 10 ? 1 : 0).first)
      story.stages.append(([Array(completion[...sure])], step))
      story.stages.append(([Array(completion[(sure + 1)...])], step))
      for name in try FileSystem.list(store.path(of: step)) {
        story.files[step, default: [:]][name] = try FileSystem.read(store.path(of: step) + "/" + name, limit: 1 << 20)
      }
    }
    return story
  }

  private static func steps(keep: Int) -> [Int] { Array(stride(from: 10, through: 10 * (keep + 2), by: 10)) }

  /// As a file says it.
  private static let description = Result {
    let model = try Model(kind: .mlp, sizes: [5, 4, 3], activation: .relu, loss: .softmax)
    let metadata = [("kind", "mlp"), ("activation", "relu"), ("loss", "softmax"), ("classes", #"["a", "b", "c"]"#)]
    let layout = ModelFile.layout(of: model.layout, metadata: metadata.map { (key: $0.0, value: $0.1) })
    return try TemporaryDirectory.with { folder in
      let path = folder.file("model")
      let values = FloatBuffer(count: model.layout.count)
      let runs = model.layout.runs(of: 0..<values.count, in: model.layout)
      let writer = try SafetensorsWriter(path, layout)
      try writer.write(values, runs)
      _ = try SafetensorsWriter.seal(path, layout, [try writer.finish()])
      return try ModelDescription(try SafetensorsFile.open(path))
    }
  }

  private static func recorded(_ body: () throws -> Void) rethrows -> [FileOperation] {
    let plan = FaultPlan(first: .max, effect: .kill, records: true)
    try FaultPlan.$current.withValue(plan) { try body() }
    return plan.recorded
  }

  private static func write(at step: Int, in store: CheckpointStore) throws -> CheckpointWrite {
    var state = TrainingState(TrainingCourse(rows: 9, virtualRanks: 3, batchRows: 3, seed: 1, shuffle: true))
    state.step = step
    state.earlyStopping.bestLoss = 0.5
    return CheckpointWrite(
      store: store, contents: CheckpointContents(description: try description.get(), moments: ["first", "second"]),
      state: state)
  }

  /// A third of all elements, which tell the step.
  private static func writeShare(of rank: Int, at step: Int, in store: CheckpointStore) throws -> [SafetensorsPart] {
    let write = try write(at: step, in: store)
    let layout = write.contents.description.model.layout
    let part = layout.count * rank / ranks..<layout.count * (rank + 1) / ranks
    let runs = layout.runs(of: part, in: layout)
    let share = ModelShare(parameters: runs, moments: runs, momentOrigin: 0, whole: layout)
    let values = FloatBuffer((0..<layout.count).map { Float(step) + Float($0) / 1_000 })
    return try write.writeShare(completesHere: rank != 1) { kind, writer in
      switch kind {
      case .parameters, .best: try share.write(values, with: writer)
      case .moments: for index in 0..<2 { try share.write(moment: index, values, with: writer) }
      }
    }
  }

  /// What is wrong with a folder whose newest checkpoint has to be that of one of `steps`, whole; nil where nothing is. A nil in `steps`
  /// allows for none.
  private func complaint(_ story: Story, _ path: String, _ steps: Set<Int?>) throws -> String? {
    let store = CheckpointStore(directory: path + "/checkpoints", keep: story.keep)
    guard let newest = try store.newest(warn: { _ in }) else {
      return steps.contains(nil) ? nil : "nothing that is whole"
    }
    let step = try CheckpointManifest(verifying: newest).step
    guard steps.contains(step) else { return "step \(step) is the newest" }
    var files: [String: [UInt8]] = [:]
    for name in try FileSystem.list(newest) { files[name] = try FileSystem.read(newest + "/" + name, limit: 1 << 20) }
    guard files == story.files[step] else { return "other files than those of step \(step)" }
    // The run goes on: what is left over is no hindrance.
    try store.removeUnfinished()
    let others = try FileSystem.list(store.directory).filter { !$0.hasPrefix("step-") }
    return others.isEmpty ? nil : "\(others) are left over"
  }

  /// The state after all stages before `stage`.
  private func model(_ story: Story, before stage: Int) -> CrashModel {
    let model = CrashModel(prefix: story.prefix)
    for (ranks, _) in story.stages[..<stage] {
      for (rank, operations) in ranks.enumerated() { for one in operations { model.apply(one, rank: rank) } }
    }
    return model
  }

  /// Each rank is killed before each of its calls, and in the middle of each write, while the others have done nothing, something or
  /// all of theirs: whatever was done is there.
  @Test func killsAtEveryCall() throws {
    let story = try Self.record(keep: 1)
    var random = SeededGenerator(seed: 1)
    var states = 0
    for (stage, (ranks, _)) in story.stages.enumerated() {
      let before = story.stages[..<stage].compactMap(\.completed).last
      for (victim, operations) in ranks.enumerated() {
        for count in 0...operations.count {
          for (others, isCut) in [(0.0, false), (1, false), (.random(in: 0...1, using: &random), true)] {
            let model = model(story, before: stage)
            for (rank, all) in ranks.enumerated() where rank != victim {
              for one in all.prefix(Int(others * Double(all.count))) { model.apply(one, rank: rank) }
            }
            for one in operations.prefix(count) { model.apply(one, rank: victim) }
            if isCut, count < operations.count, case .write(let descriptor, let offset, let bytes) = operations[count] {
              model.apply(
                .write(descriptor: descriptor, offset: offset, bytes: Array(bytes.prefix(bytes.count / 2))),
                rank: victim)
            }
            try TemporaryDirectory.with { folder in
              try model.write(to: folder.file("run"))
              let complete = story.stages[stage].completed
              let complaint = try complaint(story, folder.file("run"), [before, complete ?? before])
              #expect(complaint == nil, "rank \(victim) killed at call \(count + 1) of stage \(stage)")
            }
            states += 1
          }
        }
      }
    }
    #expect(states > 750, "\(states)")
  }

  /// The power fails at some moment of the three writers: what no fsync has made sure is lost, cut, or there before what came earlier.
  @Test(arguments: [1, 2]) func lossOfPower(keep: Int) throws {
    let outcome = try losePower(try Self.record(keep: keep), times: 400)
    #expect(outcome.complaints.isEmpty, "\(outcome.complaints)")
    #expect(
      outcome.found.count == Self.steps(keep: keep).count + 1 && outcome.found.allSatisfy { $0.value > 20 },
      "\(outcome.found)")
  }

  /// Writers that never flush anything lose checkpoints, and this test notices it.
  @Test func withoutFlushesItWouldBeLost() throws {
    var story = try Self.record(keep: 1)
    for stage in story.stages.indices {
      story.stages[stage].ranks = story.stages[stage].ranks.map { operations in
        operations.filter { if case .synchronize = $0 { false } else { true } }
      }
    }
    #expect(try losePower(story, times: 60).complaints.count > 10)
  }

  /// - Returns: what is wrong, by state, and how often the checkpoint of each step was found.
  private func losePower(_ story: Story, times: Int) throws -> (complaints: [String], found: [Int?: Int]) {
    var random = SeededGenerator(seed: 2)
    var complaints: [String] = []
    var found: [Int?: Int] = [:]
    for number in 0..<times {
      let stage = number % story.stages.count
      let (ranks, completed) = story.stages[stage]
      let before = story.stages[..<stage].compactMap(\.completed).last
      let model = model(story, before: stage)
      // The ranks take turns at random until the power fails.
      var rests = ranks.map { $0[...] }
      let total = rests.reduce(0) { $0 + $1.count }
      let done = Int.random(in: 0...total, using: &random)
      for _ in 0..<done {
        guard let rank = rests.indices.filter({ !rests[$0].isEmpty }).randomElement(using: &random) else { break }
        model.apply(rests[rank].removeFirst(), rank: rank)
      }
      try TemporaryDirectory.with { folder in
        try model.write(to: folder.file("run"), losing: &random)
        // What was told to be complete is there.
        let allowed: Set<Int?> = completed == nil ? [before] : done == total ? [completed] : [before, completed]
        if let complaint = try complaint(story, folder.file("run"), allowed) {
          complaints.append("state \(number), \(done) of \(total) calls of stage \(stage): \(complaint)")
        }
        let store = CheckpointStore(directory: folder.file("run/checkpoints"), keep: story.keep)
        found[try store.newest(warn: { _ in }).map { try CheckpointManifest(verifying: $0).step }, default: 0] += 1
      }
    }
    return (complaints, found)
  }
}

extension FileOperation {
  /// The same operation in another folder.
  fileprivate func moved(from old: String, to new: String) -> FileOperation {
    func moved(_ path: String) -> String { path.hasPrefix(old) ? new + path.dropFirst(old.count) : path }
    return switch self {
    case .open(let descriptor, let path, let creates, let empties):
      .open(descriptor: descriptor, path: moved(path), creates: creates, empties: empties)
    case .openDirectory(let descriptor, let path): .openDirectory(descriptor: descriptor, path: moved(path))
    case .makeDirectory(let path): .makeDirectory(moved(path))
    case .rename(let path, let newPath): .rename(moved(path), to: moved(newPath))
    case .remove(let path): .remove(moved(path))
    case .removeDirectory(let path): .removeDirectory(moved(path))
    case .close, .write, .truncate, .synchronize: self
    }
  }
}
