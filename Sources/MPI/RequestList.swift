import CMPI
import Synchronization

/// The library's requests of one operation: one, or one a piece and peer.
final class RequestList {
  private var requests: [cmpi_request] = []
  var count: Int { requests.count }
  /// The elements that must have arrived once all requests have ended; `nil` where the library checks that itself.
  var expected: (count: Int, kind: ElementKind)?
  #if DEBUG
    /// Ends before the operation does, so that ranks in different collectives find out instead of waiting.
    var agreement: CollectiveAgreement?
  #endif

  /// Operations that were dropped before they ended.
  static let abandoned = Atomic<Int>(0)

  init(capacity: Int) { requests.reserveCapacity(capacity) }

  /// Adds the request that `start` makes.
  func add(_ start: (_ request: inout cmpi_request) throws(MPIError) -> Void) throws(MPIError) {
    var request = cmpi_request_null()
    try start(&request)
    requests.append(request)
  }

  /// Returns when every request has ended, also where one has failed, and throws the first failure.
  ///
  /// One by one, not with `MPI_Waitall`: that would say only that some request failed.
  func wait() throws(MPIError) {
    #if DEBUG
      try agreement?.wait()
    #endif
    var failure: MPIError?
    var arrived = 0
    for index in requests.indices {
      do throws(MPIError) {
        var status = MPI_Status()
        try unsafe check(MPI_Wait(&requests[index].handle, &status), "MPI_Wait")
        if let expected {
          let count = try elements(of: status, kind: expected.kind)
          arrived += count
          // A message that ends early leaves the requests behind it without a piece, for ever.
          if count < Pieces.limit { try cancel(after: index) }
        }
      } catch {
        failure = failure ?? error
      }
    }
    requests.removeAll(keepingCapacity: true)
    if let failure { throw failure }
    if let expected, arrived != expected.count {
      throw MPIError(
        kind: .short, call: "MPI_Irecv", text: "\(arrived) elements arrived where \(expected.count) were expected")
    }
  }

  private func cancel(after index: Int) throws(MPIError) {
    for other in requests.indices.dropFirst(index + 1) {
      try unsafe check(MPI_Cancel(&requests[other].handle), "MPI_Cancel")
      try unsafe check(MPI_Wait(&requests[other].handle, cmpi_status_ignore()), "MPI_Wait")
    }
  }

  /// Whether every request has ended. An ended request is kept until `wait`, which gives its outcome.
  func test() throws(MPIError) -> Bool {
    for index in requests.indices {
      var flag: Int32 = 0
      try unsafe check(
        MPI_Request_get_status(requests[index].handle, &flag, cmpi_status_ignore()), "MPI_Request_get_status")
      if flag == 0 { return false }
    }
    return true
  }
}

/// The number of elements that a message held.
func elements(of status: MPI_Status, kind: ElementKind) throws(MPIError) -> Int {
  var status = status
  var count: Int32 = 0
  try unsafe check(MPI_Get_count(&status, kind.datatype, &count), "MPI_Get_count")
  guard count != MPI_UNDEFINED else {
    throw MPIError(kind: .library, call: "MPI_Get_count", text: "the message is not a whole number of elements")
  }
  return Int(count)
}
