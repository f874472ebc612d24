import Data
import Failures
import Files
import Kernels
import MPI
import Model
import Parallel

/// What a rank reads and writes of files of the model and of its optimizer's moments.
///
/// Every element is read by each rank that holds it, or by one of those that hold the same, and written by one of them. Collective.
final class ModelFiles {
  private let grid: ProcessGrid
  private let whole: ParameterLayout
  /// What the rank writes.
  let share: ModelShare
  /// The parameters that the rank holds.
  private let parameters: [TensorRun]
  /// The moments that the rank keeps.
  private let moments: [TensorRun]
  /// Other ranks keep the same moments.
  private let sharesMoments: Bool
  /// Of the ranks that hold the same parameters this one reads.
  private let reads: Bool

  /// - Parameter whole: of all layers, as files have it.
  init<Strategy: ParallelStrategy>(_ strategy: Strategy, whole: ParameterLayout, grid: ProcessGrid) {
    let (layout, owned, place) = (strategy.layout, strategy.owned, strategy.place)
    // Ranks that hold the same share the work; what all parts of a layer have is written by the first of them.
    let slice = Self.border(place.data.index, of: place.data.count, in: layout.count)
    let sliceEnd = Self.border(place.data.index + 1, of: place.data.count, in: layout.count)
    self.grid = grid
    self.whole = whole
    sharesMoments = !strategy.splitsUpdate
    reads = place.data.isFirst
    parameters = layout.runs(of: 0..<layout.count, in: whole)
    let written = layout.runs(of: slice..<sliceEnd, in: whole, replicated: place.tensor.isFirst)
    moments = sharesMoments ? parameters : layout.runs(of: owned, in: whole)
    share = ModelShare(
      parameters: written,
      moments: sharesMoments ? written : layout.runs(of: owned, in: whole, replicated: place.tensor.isFirst),
      momentOrigin: owned.lowerBound, whole: whole)
  }

  /// Where the share of the rank with this index begins; of large ones with a page of the file, which is then of one rank alone.
  private static func border(_ index: Int, of ranks: Int, in count: Int) -> Int {
    let border = count * index / ranks
    let page = File.pageBytes / MemoryLayout<Float>.stride
    return index == ranks || count / ranks < 64 * page ? border : border / page * page
  }

  /// Reads the parameters of the model file at `path`.
  /// - Parameter smaller: the layout of the model there, where it lacks columns or outputs; those are 0.
  func readParameters(
    _ path: @autoclosure () throws -> String, of smaller: ParameterLayout? = nil, into values: inout FloatBuffer
  ) throws {
    // Other ranks may see the same memory.
    if smaller != nil, reads { values.fill(with: 0) }
    let layout = smaller ?? whole
    try ModelFile.read(
      try path(), layout, parameters.within(layout, of: whole), into: &values, where: reads, world: grid.world)
    try grid.data.broadcast(&values, root: 0)
  }

  /// Reads the moments that the file at `path` has under the name `prefix`.
  /// - Parameters:
  ///   - smaller: as in `readParameters`.
  ///   - state: all 0 where the file has nothing for it.
  func readMoments(
    _ path: String, prefix: String, of smaller: ParameterLayout? = nil, into state: inout FloatBuffer
  ) throws {
    let layout = smaller ?? whole
    try ModelFile.read(
      path, layout, prefix: prefix, moments.within(layout, of: whole), origin: share.momentOrigin, into: &state,
      where: reads || !sharesMoments, world: grid.world)
    if sharesMoments { try grid.data.broadcast(&state, root: 0) }
  }

  /// Writes the model; the file is complete or not there.
  func writeModel(_ values: borrowing FloatBuffer, _ description: ModelDescription, to path: String) throws {
    let partial = ModelFile.partialPath(for: path)
    let layout = ModelFile.layout(of: description)
    do {
      let parts = try Agreement.gathering(grid.world) {
        let writer = try SafetensorsWriter(partial, layout)
        try share.write(values, with: writer)
        return SafetensorsPart.encoded([try writer.finish()])
      }
      _ = try Agreement.fromRoot(grid.world) {
        _ = try SafetensorsWriter.seal(partial, layout, try parts.flatMap { try SafetensorsPart.decoded($0) })
        try FileSystem.publish(partial, as: path)
        return []
      }
    } catch {
      if grid.world.rank == 0 { try? FileSystem.remove(partial) }
      throw error
    }
  }
}
