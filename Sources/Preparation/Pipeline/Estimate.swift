internal import Data

/// What is collected over the training rows to fit the next thing of a column. Estimates of different rows merge in any order.
enum Estimate: Equatable, Sendable {
  case nothing
  /// One for each number that a row has.
  case moments([ExactMoments])
  case quantiles([QuantileSearch])
  case counts(ValueCounts)

  var emptied: Estimate {
    switch self {
    case .nothing: .nothing
    case .moments(let moments): .moments(moments.map { _ in ExactMoments() })
    case .quantiles(let searches): .quantiles(searches.map(\.emptied))
    case .counts: .counts(ValueCounts())
    }
  }

  mutating func merge(_ other: Estimate) {
    switch (self, other) {
    case (.nothing, .nothing): break
    case (.moments(var mine), .moments(let others)):
      self = .nothing
      for index in mine.indices { mine[index].merge(others[index]) }
      self = .moments(mine)
    case (.quantiles(var mine), .quantiles(let others)):
      self = .nothing
      for index in mine.indices { mine[index].merge(others[index]) }
      self = .quantiles(mine)
    case (.counts(var mine), .counts(let other)):
      self = .nothing
      mine.merge(other)
      self = .counts(mine)
    default: preconditionFailure("estimates of different kinds")
    }
  }
}

// From rank to rank.
extension Estimate {
  func write(to writer: inout ByteWriter) {
    switch self {
    case .nothing: break
    case .moments(let moments): for moments in moments { moments.write(to: &writer) }
    case .quantiles(let searches): for search in searches { search.write(to: &writer) }
    case .counts(let counts): counts.write(to: &writer)
    }
  }

  /// Adds the estimate of the same thing that another rank wrote.
  mutating func merge(from reader: inout ByteReader) throws(DataError) {
    switch self {
    case .nothing: break
    case .moments(var mine):
      self = .nothing
      for index in mine.indices { mine[index].merge(try ExactMoments(from: &reader)) }
      self = .moments(mine)
    case .quantiles(var mine):
      self = .nothing
      for index in mine.indices { try mine[index].merge(from: &reader) }
      self = .quantiles(mine)
    case .counts(var mine):
      self = .nothing
      mine.merge(try ValueCounts(from: &reader))
      self = .counts(mine)
    }
  }
}
