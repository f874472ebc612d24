import CMPI

/// What ranks do together; the raw value travels between them in debug builds.
enum Collective: Int64 {
  case barrier, broadcast, reduce, allReduce, reduceScatter, allGather, gather, scatter, allToAll
  case duplicate, split, splitByNode, allocateShared
  case startBarrier, startBroadcast, startAllReduce, startReduceScatter, startAllGather, startAllToAll
}

extension Communicator {
  /// In debug builds, learns whether every rank is about to call the same collective in the same way. In release builds
  /// it is nothing.
  @inline(__always)
  borrowing func agree(
    on collective: Collective, _ kind: ElementKind? = nil, _ operation: Reduction? = nil, root: Int? = nil,
    count: Int = 0, partition: Partition? = nil
  ) throws(MPIError) {
    #if DEBUG
      try startAgreement(on: collective, kind, operation, root: root, count: count, partition: partition).wait()
    #endif
  }

  #if DEBUG
    /// Never waits, so that a non-blocking collective stays one in debug builds; the outcome comes with `wait()`.
    borrowing func startAgreement(
      on collective: Collective, _ kind: ElementKind? = nil, _ operation: Reduction? = nil, root: Int? = nil,
      count: Int = 0, partition: Partition? = nil, sending: Partition? = nil, receiving: Partition? = nil
    ) throws(MPIError) -> CollectiveAgreement {
      let call = CollectiveCall(
        collective: collective, kind: kind, operation: operation, root: root, count: count,
        partition: partition?.counts)
      return try CollectiveAgreement(
        call: call, rank: rank, size: size, sending: sending?.counts, receiving: receiving?.counts, on: shadow)
    }
  #endif
}

#if DEBUG
  /// One rank's view of a collective call.
  struct CollectiveCall: Equatable, CustomStringConvertible {
    static let words = 6

    var collective: Collective
    var kind: ElementKind?
    var operation: Reduction?
    var root: Int?
    var count: Int
    /// A digest of the counts that all ranks must give alike; 0 for none.
    var digest: Int64

    init(
      collective: Collective, kind: ElementKind?, operation: Reduction?, root: Int?, count: Int, partition: [Int]?
    ) {
      self.collective = collective
      self.kind = kind
      self.operation = operation
      self.root = root
      self.count = partition?.reduce(0, +) ?? count
      digest = 0
      // FNV-1a over whole words: enough to tell arrays apart that somebody mixed up.
      if let partition {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for count in partition { hash = (hash ^ UInt64(bitPattern: Int64(count))) &* 0x100_0000_01b3 }
        digest = Int64(bitPattern: hash | 1)
      }
    }

    init?(words: some Collection<Int64>) {
      let words = Array(words)
      guard let collective = Collective(rawValue: words[0]) else { return nil }
      self.collective = collective
      kind = words[1] < 0 ? nil : ElementKind(rawValue: UInt8(words[1]))
      operation = words[2] < 0 ? nil : Reduction(rawValue: UInt8(words[2]))
      root = words[3] < 0 ? nil : Int(words[3])
      count = Int(words[4])
      digest = words[5]
    }

    var encoded: [Int64] {
      [
        collective.rawValue, kind.map { Int64($0.rawValue) } ?? -1, operation.map { Int64($0.rawValue) } ?? -1,
        root.map { Int64($0) } ?? -1, Int64(count), digest,
      ]
    }

    var description: String {
      var words: [String] = []
      if let kind { words.append("\(count) × \(kind)") }
      if let operation { words.append("\(operation)") }
      if let root { words.append("root \(root)") }
      if digest != 0 { words.append("counts #\(String(UInt64(bitPattern: digest) % 10000))") }
      return "\(collective)(\(words.joined(separator: ", ")))"
    }
  }

  /// An exchange in flight of what each rank is about to call.
  ///
  /// A message that holds the call and, for collectives in which a rank knows only its own row of counts, the counts that
  /// it will send to and receive from each rank.
  @safe final class CollectiveAgreement {
    private let call: CollectiveCall
    private let rank: Int
    private let size: Int
    private let length: Int
    private let own: UnsafeMutablePointer<Int64>
    private let all: UnsafeMutablePointer<Int64>
    private var request = cmpi_request_null()

    init(
      call: CollectiveCall, rank: Int, size: Int, sending: [Int]?, receiving: [Int]?, on shadow: MPI_Comm
    ) throws(MPIError) {
      self.call = call
      self.rank = rank
      self.size = size
      length = CollectiveCall.words + 2 * size
      unsafe own = .allocate(capacity: length)
      unsafe all = .allocate(capacity: length * size)
      unsafe own.initialize(repeating: -1, count: length)
      unsafe all.initialize(repeating: -1, count: length * size)
      for (index, word) in call.encoded.enumerated() { unsafe own[index] = word }
      for (index, count) in (sending ?? []).enumerated() { unsafe own[CollectiveCall.words + index] = Int64(count) }
      for (index, count) in (receiving ?? []).enumerated() {
        unsafe own[CollectiveCall.words + size + index] = Int64(count)
      }
      // One and the same call for blocking and non-blocking collectives, so that a mix of the two is found as well.
      try unsafe check(
        MPI_Iallgather(own, Int32(length), cmpi_int64(), all, Int32(length), cmpi_int64(), shadow, &request.handle),
        "MPI_Iallgather")
    }

    deinit {
      // An agreement that was dropped may still be written: its memory stays.
      guard cmpi_request_is_null(request) != 0 else { return }
      unsafe own.deallocate()
      unsafe all.deallocate()
    }

    /// Throws `mismatch`, on every rank, where the calls do not fit together.
    func wait() throws(MPIError) {
      try unsafe check(MPI_Wait(&request.handle, cmpi_status_ignore()), "MPI_Wait")
      let calls = (0..<size).map { other in
        CollectiveCall(words: (0..<CollectiveCall.words).map { unsafe all[other * length + $0] })
      }
      for other in 0..<size where calls[other] != calls[0] {
        throw mismatch(
          "rank 0 calls \(calls[0].map { "\($0)" } ?? "?"), but rank \(other) calls "
            + (calls[other].map { "\($0)" } ?? "?"))
      }
      for sender in 0..<size {
        for receiver in 0..<size {
          let sent = unsafe all[sender * length + CollectiveCall.words + receiver]
          let received = unsafe all[receiver * length + CollectiveCall.words + size + sender]
          // -1: this pair exchanges nothing that both sides count.
          if sent >= 0, received >= 0, sent != received {
            throw mismatch(
              "in \(call.collective), rank \(sender) sends \(sent) elements to rank \(receiver), which expects \(received)"
            )
          }
        }
      }
    }

    private func mismatch(_ text: String) -> MPIError {
      MPIError(kind: .mismatch, call: "\(call.collective)", text: text)
    }
  }
#endif
