import Data
import Files
import Kernels
import Model
import Parallel

/// What a rank reads and writes of files of the model and of its optimizer's moments.
///
/// Every element is read by each rank that holds it, or by one of those that hold the same, and written by one of them. Collective.
final class ModelFiles {
  private let grid: ProcessGrid
  private let whole: ParameterLayout
  /// The parameters that the rank holds, and those that it writes.
  private let parameters: [TensorRun]
  private let written: [TensorRun]
  /// The moments that the rank keeps, and those that it writes.
  private let moments: [TensorRun]
  private let writtenMoments: [TensorRun]
  /// Where its moments begin in its layout.
  private let momentOrigin: Int
  /// Other ranks keep the same moments.
  private let sharesMoments: Bool
  /// Of the ranks that hold the same parameters this one reads.
  private let reads: Bool

  /// - Parameter whole: of all layers, as files have it.
  init<Strategy: ParallelStrategy>(_ strategy: Strategy, whole: ParameterLayout, grid: ProcessGrid) {
    let (layout, owned, place) = (strategy.layout, strategy.owned, strategy.place)
    // Ranks that hold the same share the work; what all parts of a layer have is written by the first of them.
    let slice = layout.count * place.data.index / place.data.count
    let sliceEnd = layout.count * (place.data.index + 1) / place.data.count
    self.grid = grid
    self.whole = whole
    sharesMoments = !strategy.splitsUpdate
    momentOrigin = owned.lowerBound
    reads = place.data.isFirst
    parameters = layout.runs(of: 0..<layout.count, in: whole)
    written = layout.runs(of: slice..<sliceEnd, in: whole, replicated: place.tensor.isFirst)
    moments = sharesMoments ? parameters : layout.runs(of: owned, in: whole)
    writtenMoments = sharesMoments ? written : layout.runs(of: owned, in: whole, replicated: place.tensor.isFirst)
  }

  /// Reads the parameters of the model file at `path`.
  func readParameters(_ path: @autoclosure () throws -> String, into values: inout FloatBuffer) throws {
    try ModelFile.read(try path(), whole, parameters, into: &values, where: reads, world: grid.world)
    try grid.data.broadcast(&values, root: 0)
  }

  /// Reads the moments that the file at `path` has under the name `prefix`.
  func readMoments(_ path: String, prefix: String, into state: inout FloatBuffer) throws {
    try ModelFile.read(
      path, whole, prefix: prefix, moments, origin: momentOrigin, into: &state, where: reads || !sharesMoments,
      world: grid.world)
    if sharesMoments { try grid.data.broadcast(&state, root: 0) }
  }

  /// Writes this rank's share of the parameters into a file that all ranks write.
  func write(_ values: borrowing FloatBuffer, with writer: SafetensorsWriter) throws(DataError) {
    try writer.write(values, written)
  }

  /// Writes this rank's share of the moment with the number `index` into a file that all ranks write.
  func write(moment index: Int, _ state: borrowing FloatBuffer, with writer: SafetensorsWriter) throws(DataError) {
    try writer.write(state, writtenMoments, origin: momentOrigin, fromTensor: index * whole.entries.count)
  }

  /// Writes the model; the file is complete or not there.
  func writeModel(_ values: borrowing FloatBuffer, _ description: ModelDescription, to path: String) throws {
    let partial = FileSystem.partialPath(for: path)
    try SharedFiles.write(
      [ModelFile.layout(of: description)], world: grid.world, make: { [partial] },
      fill: { _, writer in try write(values, with: writer) },
      publish: { _ in try FileSystem.publish(partial, as: path) }, giveUp: { try? FileSystem.remove(partial) })
  }
}
