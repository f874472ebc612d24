/// The one binary tree along which `ordered` reduction adds the gradients of the virtual ranks.
///
/// Leaves are virtual ranks. The node `(level, index)` covers the leaves `index·2^level ..< (index+1)·2^level`, cut at the number of
/// leaves; its sum is the sum of its left half plus the sum of its right half, or the left half alone where the right one is empty.
/// The association depends on the number of leaves and on nothing else, so sums are equal bit for bit wherever they were computed.
public struct SumTree: Sendable {
  /// A node of the tree, by the leaves that it covers.
  public struct Node: Equatable, Sendable {
    public let level: Int
    public let leaves: Range<Int>
  }

  /// One step of a summation over a stack of numbered slots.
  public enum Step: Equatable, Sendable {
    /// The next operand is put into `slot`.
    case place(slot: Int)
    /// `slot + 1` is added into `slot`.
    case add(slot: Int)
  }

  public let leaves: Int

  public init(leaves: Int) {
    precondition(leaves > 0, "a sum tree needs at least one leaf, not \(leaves)")
    self.leaves = leaves
  }

  /// The largest nodes that lie within `range`, from left to right: what a rank that holds these leaves can add on its own.
  public func pieces(of range: Range<Int>) -> [Node] {
    plan(operands: range.map { Node(level: 0, leaves: $0..<$0 + 1) }).remaining
  }

  /// How a rank adds its leaves, each placed in turn: afterwards slot `i` holds piece `i` of `range`.
  public func localSteps(of range: Range<Int>) -> [Step] {
    plan(operands: range.map { Node(level: 0, leaves: $0..<$0 + 1) }).steps
  }

  /// How pieces that follow one another, each placed in turn, add up as far as they are halves of nodes; slot `i` is then sum `i`.
  func steps(adding pieces: [Node]) -> [Step] { plan(operands: pieces).steps }

  /// An addition of one piece into another, both by their number from left to right.
  public struct Addition: Equatable, Sendable {
    public let into: Int
    public let from: Int
  }

  /// How the pieces of all ranks, numbered from left to right, add up to the whole, which is left in piece 0.
  public func finalAdditions(of pieces: [Node]) -> [Addition] {
    let result = plan(operands: pieces)
    precondition(
      result.remaining.count == 1, "\(pieces.count) pieces leave \(result.remaining.count) sums instead of one")
    var additions: [Addition] = []
    var stack: [Int] = []
    var next = 0
    for step in result.steps {
      switch step {
      case .place:
        stack.append(next)
        next += 1
      case .add:
        let from = stack.removeLast()
        additions.append(Addition(into: stack[stack.count - 1], from: from))
      }
    }
    return additions
  }

  /// The number of slots that `steps` use.
  public static func slots(of steps: [Step]) -> Int {
    steps.reduce(0) { most, step in
      if case .place(let slot) = step { max(most, slot + 1) } else { most }
    }
  }

  private func plan(operands: [Node]) -> (steps: [Step], remaining: [Node]) {
    var steps: [Step] = []
    var stack: [Node] = []
    for operand in operands {
      steps.append(.place(slot: stack.count))
      stack.append(operand)
      while stack.count > 1, let parent = parent(of: stack[stack.count - 2], and: stack[stack.count - 1]) {
        stack.removeLast(2)
        steps.append(.add(slot: stack.count))
        stack.append(parent)
      }
    }
    return (steps, stack)
  }

  /// The node whose two halves are `left` and `right`, or nil if they are not halves of one node.
  private func parent(of left: Node, and right: Node) -> Node? {
    let width = 1 << left.level
    guard left.leaves.count == width, (left.leaves.lowerBound / width).isMultiple(of: 2) else { return nil }
    let sibling = left.leaves.upperBound..<min(left.leaves.upperBound + width, leaves)
    guard right.leaves == sibling else { return nil }
    return Node(level: left.level + 1, leaves: left.leaves.lowerBound..<sibling.upperBound)
  }
}
