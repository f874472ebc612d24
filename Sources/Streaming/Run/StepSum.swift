import Kernels
import MPI
import Online
import Parallel

/// What the ranks of a stream sum to make a step together: their gradients, and what each has to say of itself, in one message.
struct StepSum: ~Copyable {
  /// What is known of a rank, or of all of them.
  struct Totals {
    /// Rows whose gradients are summed.
    var rows = 0
    /// Ranks that have such rows.
    var ranks = 0
    /// Ranks that have rows for the next step.
    var due = 0
    /// Ranks with rows that are taken and not learned, be they due or not.
    var left = 0
    /// Ranks that want to tell the others more.
    var wishes = 0

    fileprivate static let count = 5
  }

  private var message = FloatBuffer(count: 0)

  /// Each learner has the sum of the gradients of all ranks then. Collective; there is a fresh model on all ranks or on none.
  mutating func sum(
    _ own: Totals, _ learner: OnlineLearner, _ fresh: OnlineLearner?, _ world: borrowing Communicator
  ) throws(MPIError) -> Totals {
    let count = learner.parameters.count
    let place = fresh == nil ? count : 2 * count
    if message.count != place + Totals.count { message = FloatBuffer(count: place + Totals.count) }
    message.copy(from: learner.gradient)
    if let fresh { message.copy(from: fresh.gradient, to: count) }
    let totals = [own.rows, own.ranks, own.due, own.left, own.wishes]
    message.copy(from: totals.map { Float($0) }, at: place)
    try world.sum(&message)
    learner.gradient.copy(from: message, range: 0..<count)
    fresh?.gradient.copy(from: message, range: count..<place)
    return Totals(
      rows: Int(message[place]), ranks: Int(message[place + 1]), due: Int(message[place + 2]),
      left: Int(message[place + 3]), wishes: Int(message[place + 4]))
  }
}
