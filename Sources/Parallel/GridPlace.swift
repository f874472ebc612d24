public import Data
public import Model

/// Where a rank stands in the grid.
public struct GridPlace: Equatable, Sendable {
  /// The place along one side of the grid.
  public struct Side: Equatable, Sendable {
    public let index: Int
    public let count: Int

    public init(index: Int, count: Int) {
      precondition(index >= 0 && index < count, "place \(index) of \(count)")
      self.index = index
      self.count = count
    }

    public var isFirst: Bool { index == 0 }
    public var isLast: Bool { index == count - 1 }
  }

  /// Which of the copies of the model.
  public let data: Side
  /// Which stage of the pipeline.
  public let pipeline: Side
  /// Which part of each layer.
  public let tensor: Side

  public init(data: Side, pipeline: Side, tensor: Side) {
    self.data = data
    self.pipeline = pipeline
    self.tensor = tensor
  }

  public var shape: GridShape {
    GridShape(data: data.count, pipeline: pipeline.count, tensor: tensor.count)
  }

  /// The number in the grid.
  public var index: Int { data.index * shape.modelRanks + modelIndex }

  /// The number among the ranks that hold one copy of the model together.
  public var modelIndex: Int { pipeline.index * tensor.count + tensor.index }

  /// Which part of each layer.
  public var part: TensorPlace { TensorPlace(index: tensor.index, count: tensor.count) }

  /// Which parts of rows this rank reads. Each part is read once for a copy of the model: features where the first stage is, targets
  /// where the last is.
  public var reads: RowParts {
    guard tensor.isFirst else { return [] }
    var parts: RowParts = []
    if pipeline.isFirst { parts.insert(.features) }
    if pipeline.isLast { parts.insert(.targets) }
    return parts
  }

  /// What this rank reads where rows may be left out, for their features or their targets: both wherever it reads any, so that all
  /// who read leave out the same.
  public func reads(leavingRowsOut: Bool) -> RowParts { leavingRowsOut && !reads.isEmpty ? .all : reads }
}
