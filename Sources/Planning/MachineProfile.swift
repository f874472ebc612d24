/// What a machine takes for the parts of a training step, as measured there.
public struct MachineProfile: Equatable, Sendable {
  /// Seconds of a layer's passes, by rows.
  public struct LayerCost: Equatable, Sendable {
    public var forward: CostCurve
    public var backward: CostCurve

    public init(forward: CostCurve, backward: CostCurve) {
      self.forward = forward
      self.backward = backward
    }
  }

  /// The name of the machine.
  public var host: String
  /// How many of its ranks were measured at the same time.
  public var ranks: Int
  /// Bytes of a node.
  public var memory: Int
  /// Layers of the job, and parts of them.
  public var layers: [LayerShape: LayerCost]
  /// The optimizer's step, by parameters.
  public var update: CostCurve
  /// One gradient added to another, by floats.
  public var addition: CostCurve
  /// Looking for what is not finite, by floats.
  public var check: CostCurve
  /// Rows of the window into a batch, by bytes.
  public var gathering: CostCurve
  /// Rows of the files into the window, by bytes.
  public var loading: CostCurve
  /// Two ranks of the node exchange so many bytes, each with the other.
  public var exchange: CostCurve

  public init(
    host: String, ranks: Int, memory: Int, layers: [LayerShape: LayerCost], update: CostCurve, addition: CostCurve,
    check: CostCurve, gathering: CostCurve, loading: CostCurve, exchange: CostCurve
  ) {
    self.host = host
    self.ranks = ranks
    self.memory = memory
    self.layers = layers
    self.update = update
    self.addition = addition
    self.check = check
    self.gathering = gathering
    self.loading = loading
    self.exchange = exchange
  }

  /// Seconds of a forward pass of `rows` rows.
  func forward(_ shape: LayerShape, rows: Int) -> Double { seconds(shape, rows: rows, \.forward) }

  /// Seconds of a backward pass.
  func backward(_ shape: LayerShape, rows: Int) -> Double { seconds(shape, rows: rows, \.backward) }

  /// A layer that was not measured takes as long for a multiply-add as the one that is most like it.
  private func seconds(_ shape: LayerShape, rows: Int, _ pass: KeyPath<LayerCost, CostCurve>) -> Double {
    if let cost = layers[shape] { return cost[keyPath: pass].seconds(rows) }
    let nearest = layers.min { $0.key.isNearer(to: shape, than: $1.key) }
    guard let (near, cost) = nearest else { return 0 }
    return cost[keyPath: pass].seconds(rows) * shape.work / near.work
  }
}

extension LayerShape {
  /// How unlike two shapes are: the factors between their sizes, and another role as a factor of two.
  fileprivate func distance(to other: LayerShape) -> Double {
    func factor(_ one: Int, _ two: Int) -> Double { Double(max(one, two)) / Double(max(min(one, two), 1)) }
    return factor(inputs, other.inputs) * factor(outputs, other.outputs) * (role == other.role ? 1 : 2)
  }

  /// Whether this shape is more like `shape` than `other` is; of two that are as like, the same one always.
  fileprivate func isNearer(to shape: LayerShape, than other: LayerShape) -> Bool {
    let (own, its) = (distance(to: shape), other.distance(to: shape))
    return own == its ? isBefore(other) : own < its
  }

  /// A fixed order of shapes, so that the same profile always gives the same plan.
  func isBefore(_ other: LayerShape) -> Bool {
    (inputs, outputs, role.rawValue) < (other.inputs, other.outputs, other.role.rawValue)
  }
}
