import Files
import Watch

/// Reads the windows that the lanes of a reader come to next, on a thread of its own, into the memory that their current windows give
/// back.
///
/// A window's rows go to the cells (the rows of a lane's memory) that the window before has given back, in the order in which it did:
/// no second window is held, only one block on its way. Windows are handed over whole, so what is wrong with a row is thrown in the step
/// that comes to the row's window, as it is without the thread.
final class ReadAhead {
  /// A window in memory.
  struct Window {
    let place: Place
    /// The cell of each slot, in turn.
    let cells: [Int32]
  }

  /// Which window of a lane.
  struct Place: Equatable {
    var epoch: Int
    var index: Int
  }

  /// What the thread and the reader tell each other about a lane.
  struct Exchange {
    /// The window that is being read, or has been; nil where the lane was not begun.
    var next: Place?
    /// The current window of a lane that was just begun, for the thread to go on from.
    var start: Window?
    /// Slots of the current window whose cells may be written over.
    var released = 0
    /// How many these must be for the thread to go on.
    var wanted = 0
    /// The thread writes to the lane's memory now.
    var isBusy = false
    /// The next window and the one behind it, or why it cannot be read.
    var result: Result<(window: Window, next: Place), DataError>?

    var hasWork: Bool { next != nil && result == nil && (start != nil || released >= wanted) }
  }

  struct State {
    var lanes: [Exchange]
    var effort = ReadingEffort()
    var isStopped = false
  }

  private let state: Monitor<State>
  private let thread: Thread
  /// Time for which the training has stood still until a window was read.
  private(set) var timeWaiting = Duration.zero

  /// Starts the thread.
  /// - Throws: `FilesError` where the system has none to give.
  init(lanes: [Lane], order: SampleOrder, loader: RowLoader) throws(FilesError) {
    let state = Monitor(State(lanes: lanes.map { _ in Exchange() }))
    let worker = ReadAheadWorker(state: state, lanes: lanes, order: order, loader: loader)
    self.state = state
    thread = try Thread("apus-read") { worker.run() }
  }

  /// The thread ends with the block that it is at.
  deinit { state.withLock { $0.isStopped = true } }

  /// What the thread has done so far.
  var effort: ReadingEffort { state.withLock { $0.effort } }

  /// Lets the thread read `next`, which follows `current`, a window that was brought into memory in another way.
  func begin(lane: Int, after current: Window, next: Place) {
    state.withLock {
      $0.lanes[lane] = Exchange()
      $0.lanes[lane].next = next
      $0.lanes[lane].start = current
    }
  }

  /// Gives back the cells of the first `slots` slots of the lane's current window.
  func release(lane: Int, slots: Int) { state.withLock { $0.lanes[lane].released = slots } }

  /// Gives the current window back and waits for the one at `place`.
  /// - Returns: nil where the thread was about to read another one: it then leaves the lane alone until that is begun again.
  /// - Throws: what was wrong with the window.
  func take(lane: Int, _ place: Place) throws(DataError) -> Window? {
    let isNext = state.withLock { state in
      guard state.lanes[lane].next == place else {
        state.lanes[lane].next = nil
        return false
      }
      state.lanes[lane].released = .max
      return true
    }
    let start = ContinuousClock.now
    let isDone = { (state: borrowing State) in
      isNext ? state.lanes[lane].result != nil : !state.lanes[lane].isBusy
    }
    let result = Pulse.during(.reading) {
      state.wait(until: isDone) { state in
        let result = state.lanes[lane].result
        var exchange = Exchange()
        if isNext, case .success(let found) = result { exchange.next = found.next }
        state.lanes[lane] = exchange
        return result
      }
    }
    timeWaiting += start.duration(to: .now)
    guard isNext else { return nil }
    return try result?.get().window
  }
}
