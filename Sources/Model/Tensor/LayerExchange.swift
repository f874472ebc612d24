public import Kernels

/// How the ranks of a tensor split combine what each has computed for its part of the layers.
///
/// Every rank of the split makes the same calls in the same order, and ends each with the same bits.
public protocol LayerExchange {
  associatedtype Failure: Error

  /// The part that this rank holds.
  var place: TensorPlace { get }

  /// Adds the first `count` floats of `buffer` over all ranks, in the order of the ranks.
  func sum(_ buffer: inout FloatBuffer, count: Int) throws(Failure)

  /// Collects in `buffer` the parts of all ranks, one behind the other. `units` units of `width` floats are cut as
  /// `TensorPlace.cut` says; each rank comes with its own part in place.
  func gather(_ buffer: inout FloatBuffer, units: Int, width: Int) throws(Failure)

  /// Called when a layer is done, forward or backward: a good moment to push other messages on.
  func layerDone() throws(Failure)
}

extension LayerExchange {
  public func layerDone() {}

  /// Collects the columns of a matrix: each rank has its own in `packed`, row after row, at the place that `gather` says;
  /// the matrix is put together at `view` of `matrix`.
  func gatherColumns(
    of packed: inout FloatBuffer, into matrix: inout FloatBuffer, _ view: MatrixView
  ) throws(Failure) {
    try gather(&packed, units: view.columns, width: view.rows)
    for columns in place.cuts(view.columns) {
      let part = MatrixView(offset: view.rows * columns.lowerBound, rows: view.rows, columns: columns.count)
      matrix.copy(from: packed, part, to: view.columns(columns))
    }
  }
}

/// The exchange of a rank that holds whole layers: there is nothing to combine.
public struct NoExchange: LayerExchange {
  public typealias Failure = Never

  public init() {}

  public var place: TensorPlace { .whole }

  public func sum(_ buffer: inout FloatBuffer, count: Int) {}

  public func gather(_ buffer: inout FloatBuffer, units: Int, width: Int) {}
}
