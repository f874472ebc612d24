import Files
import Kernels

/// Elements that lie one behind the other in the copy of a checkpoint: what a rank writes of the parameters, or of a moment.
struct CheckpointRegion: Sendable {
  let kind: CheckpointContents.Kind
  private let runs: [TensorRun]
  /// The place in the rank's layout that the buffer begins with which is copied.
  private let origin: Int
  /// The first tensor of the file that is one of these.
  private let firstTensor: Int
  private let start: Int
  /// What lies one behind the other in the file too: where it is in the copy, and its first element among all of the file.
  let pieces: [(range: Range<Int>, element: Int)]

  /// Where the region ends in the copy.
  var end: Int { start + runs.elementCount }

  /// - Parameters:
  ///   - index: how many times all tensors of the model come before these in the file.
  ///   - starts: the first element of each tensor of the model among all of them, and the number of those.
  ///   - place: where the region begins, given its first element in the file.
  init(
    _ kind: CheckpointContents.Kind, _ runs: [TensorRun], origin: Int, copy index: Int, of starts: [Int],
    at place: (Int) -> Int
  ) {
    self.kind = kind
    self.runs = runs
    self.origin = origin
    firstTensor = index * (starts.count - 1)
    let before = index * (starts.last ?? 0)
    start = place(runs.first.map { before + starts[$0.tensor] + $0.start } ?? 0)
    var pieces: [(range: Range<Int>, element: Int)] = []
    var end = start
    for run in runs where !run.local.isEmpty {
      let element = before + starts[run.tensor] + run.start
      if let last = pieces.last, last.element + last.range.count == element {
        pieces[pieces.count - 1].range = last.range.lowerBound..<end + run.local.count
      } else {
        pieces.append((end..<end + run.local.count, element))
      }
      end += run.local.count
    }
    self.pieces = pieces
  }

  /// Copies the elements of `values` that belong to the region to their place.
  /// - Returns: what they contribute to the checksum of each tensor of the file, and whether all are finite.
  func copy(
    _ values: borrowing FloatBuffer, to copy: inout FloatBuffer
  ) -> (sums: [(tensor: Int, part: Checksum.Part)], isFinite: Bool) {
    var sums: [(tensor: Int, part: Checksum.Part)] = []
    var isFinite = true
    var end = start
    for run in runs where !run.local.isEmpty {
      let tensor = firstTensor + run.tensor
      if sums.last?.tensor != tensor { sums.append((tensor, Checksum.Part())) }
      let place = run.local.lowerBound - origin
      let isRunFinite = sums[sums.count - 1].part.update(
        copying: values, place..<place + run.local.count, to: &copy, at: end,
        offset: MemoryLayout<Float>.stride * run.start)
      isFinite = isRunFinite && isFinite
      end += run.local.count
    }
    return (sums, isFinite)
  }
}

extension Checksum.Part {
  /// Takes the elements of `values` in `range`, which stand in the file from the byte `offset` on, and copies them to `place`.
  /// - Returns: whether all of them are finite.
  fileprivate mutating func update(
    copying values: borrowing FloatBuffer, _ range: Range<Int>, to copy: inout FloatBuffer, at place: Int, offset: Int
  ) -> Bool {
    var all = copy.mutableSpan
    var target = all._mutatingExtracting(place..<place + range.count)
    return update(copying: values.span.extracting(range), to: &target, at: offset)
  }
}
