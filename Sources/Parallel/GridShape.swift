/// How many ranks work side by side on rows, how many stages the layers are cut into, and into how many parts each layer is cut.
///
/// The ranks of a grid are numbered with the tensor index fastest, then the stage, then the data index: those that talk most are next to
/// each other.
public struct GridShape: Equatable, Sendable, CustomStringConvertible {
  public let data: Int
  public let pipeline: Int
  public let tensor: Int

  public init(data: Int, pipeline: Int = 1, tensor: Int = 1) {
    precondition(data > 0 && pipeline > 0 && tensor > 0, "a grid of \(data) x \(pipeline) x \(tensor) ranks")
    self.data = data
    self.pipeline = pipeline
    self.tensor = tensor
  }

  /// The grid that `ranks` ranks make where the job gives two of its sides; `nil` where they are no multiple of these.
  public init?(ranks: Int, pipeline: Int, tensor: Int) {
    guard pipeline > 0, tensor > 0, pipeline <= ranks, tensor <= ranks / pipeline,
      ranks.isMultiple(of: pipeline * tensor)
    else { return nil }
    self.init(data: ranks / (pipeline * tensor), pipeline: pipeline, tensor: tensor)
  }

  /// All ranks.
  public var ranks: Int { data * modelRanks }
  /// The ranks that hold one copy of the model together.
  public var modelRanks: Int { pipeline * tensor }

  /// Where number `index` of the grid stands.
  public func place(_ index: Int) -> GridPlace {
    precondition(index >= 0 && index < ranks, "rank \(index) of a grid of \(ranks)")
    return GridPlace(
      data: GridPlace.Side(index: index / modelRanks, count: data),
      pipeline: GridPlace.Side(index: index / tensor % pipeline, count: pipeline),
      tensor: GridPlace.Side(index: index % tensor, count: tensor))
  }

  /// Which ranks of the data group at `place` share memory, given the node of each rank of the grid; nil where none do.
  func dataNodes(of place: GridPlace, nodes: [Int]) -> NodeMap? {
    NodeMap((0..<data).map { nodes[$0 * modelRanks + place.modelIndex] })
  }

  /// `2 x 3 x 1`: data, pipeline, tensor.
  public var description: String { "\(data) x \(pipeline) x \(tensor)" }
}
