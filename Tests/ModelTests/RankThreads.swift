import Foundation
import Kernels
import Model

/// The ranks of a tensor split as threads of one process, in lock step.
final class RankThreads: @unchecked Sendable {
  let count: Int
  private let condition = NSCondition()
  private var arrived = 0
  private var round = 0
  private var parts: [[Float]]

  private init(_ count: Int) {
    self.count = count
    parts = [[Float]](repeating: [], count: count)
  }

  /// What `body` gives on each of `count` ranks.
  static func run<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (ThreadExchange) -> Result
  ) -> [Result] {
    let ranks = RankThreads(count)
    let results = Results<Result>(count)
    let group = DispatchGroup()
    for rank in 0..<count {
      group.enter()
      Thread {
        results[rank] = body(ThreadExchange(ranks, rank))
        group.leave()
      }.start()
    }
    group.wait()
    return results.all
  }

  /// What all ranks bring, by rank.
  func all(_ mine: [Float], of rank: Int) -> [[Float]] {
    condition.withLock { parts[rank] = mine }
    meet()
    let all = condition.withLock { parts }
    meet()
    return all
  }

  private func meet() {
    condition.withLock {
      let own = round
      arrived += 1
      if arrived == count {
        arrived = 0
        round += 1
        condition.broadcast()
      }
      while round == own { condition.wait() }
    }
  }
}

private final class Results<Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [Value?]

  init(_ count: Int) { values = [Value?](repeating: nil, count: count) }

  subscript(index: Int) -> Value? {
    get { lock.withLock { values[index] } }
    set { lock.withLock { values[index] = newValue } }
  }

  var all: [Value] { lock.withLock { values.compactMap { $0 } } }
}

/// The exchange of one such rank, which also notes its calls.
final class ThreadExchange: LayerExchange {
  typealias Failure = Never

  /// A call, with the floats that it is about.
  enum Call: Equatable, Sendable {
    case sum(Int)
    case gather(units: Int, width: Int)
  }

  let place: TensorPlace
  private(set) var calls: [Call] = []
  private let ranks: RankThreads

  init(_ ranks: RankThreads, _ rank: Int) {
    self.ranks = ranks
    place = TensorPlace(index: rank, count: ranks.count)
  }

  func sum(_ buffer: inout FloatBuffer, count: Int) {
    calls.append(.sum(count))
    let all = ranks.all(buffer.values(in: 0..<count), of: place.index)
    for index in 0..<count { buffer[index] = all.dropFirst().reduce(all[0][index]) { $0 + $1[index] } }
  }

  func gather(_ buffer: inout FloatBuffer, units: Int, width: Int) {
    calls.append(.gather(units: units, width: width))
    let cuts = place.cuts(units).map { $0.lowerBound * width..<$0.upperBound * width }
    let all = ranks.all(buffer.values(in: cuts[place.index]), of: place.index)
    for (values, cut) in zip(all, cuts) { buffer.copy(from: values, at: cut.lowerBound) }
  }
}
