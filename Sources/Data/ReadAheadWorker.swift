import Files

/// What the thread of a `ReadAhead` does.
///
/// Nothing here is used by another thread but the memory of the lanes, of which the thread writes only to cells that were given back.
final class ReadAheadWorker: @unchecked Sendable {
  private let state: Monitor<ReadAhead.State>
  private let loader: RowLoader
  private let lanes: [LaneAhead]

  init(state: Monitor<ReadAhead.State>, lanes: [Lane], order: SampleOrder, loader: RowLoader) {
    self.state = state
    self.loader = loader
    self.lanes = lanes.map { LaneAhead($0, order: order) }
  }

  /// A block that the thread takes on.
  private struct Work {
    let lane: Int
    let next: ReadAhead.Place
    let start: ReadAhead.Window?
    let released: Int
  }

  /// Reads until it is stopped.
  func run() {
    var last = 0
    while let work = nextWork(after: last) {
      last = work.lane
      let lane = lanes[work.lane]
      if let start = work.start { lane.begin(after: start) }
      do {
        let wanted = lane.slotsForNextBlock(of: work.next, loader)
        if wanted > work.released {
          finish(work, wanted: wanted, nil)
        } else {
          let found = try loader.timed { () throws(DataError) in try lane.readBlock(loader) }
          finish(work, wanted: wanted, found.map { .success($0) })
        }
      } catch {
        finish(work, wanted: 0, .failure(error))
      }
    }
  }

  /// Waits for a lane in which there is something to do, and takes it on; the lanes take turns. Nil where the end has come.
  private func nextWork(after last: Int) -> Work? {
    state.wait(
      until: { $0.isStopped || $0.lanes.contains { $0.hasWork } },
      then: { state in
        if state.isStopped { return nil }
        let count = state.lanes.count
        for offset in 1...count {
          let lane = (last + offset) % count
          guard state.lanes[lane].hasWork, let next = state.lanes[lane].next else { continue }
          let work = Work(
            lane: lane, next: next, start: state.lanes[lane].start, released: state.lanes[lane].released)
          state.lanes[lane].start = nil
          state.lanes[lane].isBusy = true
          return work
        }
        return nil
      })
  }

  private func finish(
    _ work: Work, wanted: Int, _ result: Result<(window: ReadAhead.Window, next: ReadAhead.Place), DataError>?
  ) {
    let effort = loader.effort
    state.withLock {
      $0.effort = effort
      $0.lanes[work.lane].isBusy = false
      $0.lanes[work.lane].wanted = wanted
      // Nobody asks any more for what belongs to a window that was passed over.
      if $0.lanes[work.lane].next == work.next { $0.lanes[work.lane].result = result }
    }
  }
}
