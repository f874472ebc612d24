import Kernels

/// Puts the gradients of a step together as their passes come in: each pass into the slot of its summand, the totals behind it when it is
/// complete, and whole slots along the tree.
final class GradientAssembly {
  /// The losses of the summand that is being added up.
  var lossSum = 0.0
  private let summands: [Summand]
  private let sum: GradientSum
  private let raised: StepTotals
  /// The step of the tree that waits for a pass, the summand it belongs to, and the passes of that so far.
  private var step = 0
  private var summand = 0
  private var passes = 0
  /// The rows of those passes, of which some may have been left out.
  private var rows = 0

  init(_ summands: [Summand], in sum: GradientSum, raised: StepTotals) {
    self.summands = summands
    self.sum = sum
    self.raised = raised
    advance()
  }

  /// Lets `body` add the next pass of so many rows, in the order of summands and their passes, to the gradient at an offset, or write it
  /// there where nothing was before. Without rows there is nothing to add.
  func addPass(
    rows count: Int, _ body: (inout FloatBuffer, _ offset: Int, _ accumulate: Bool) throws -> Void
  ) rethrows {
    guard case .place(let slot) = sum.steps[step] else { preconditionFailure("no summand waits for a pass") }
    try sum.write(slot: slot) { gradient, offset in try body(&gradient, offset, rows > 0) }
    passes += 1
    rows += count
    if passes == summands[summand].passes.count {
      if rows == 0 { sum.clear(slot: slot) }
      complete(slot)
      advance()
    }
  }

  /// Does everything up to the next pass.
  private func advance() {
    while step < sum.steps.count {
      switch sum.steps[step] {
      case .add(let slot):
        sum.add(slot: slot)
        step += 1
      case .place(let slot):
        guard summands[summand].passes.isEmpty else { return }
        sum.clear(slot: slot)
        complete(slot)
      }
    }
  }

  private func complete(_ slot: Int) {
    // The flags travel with the first gradient of this rank.
    var totals = summand == 0 ? raised : StepTotals()
    totals.rows = rows
    totals.lossSum = lossSum
    sum.store(totals, slot: slot)
    lossSum = 0
    (passes, rows) = (0, 0)
    summand += 1
    step += 1
  }
}
