// Conveniences on arrays, for what is rare and small: each allocates.
extension Communicator {
  /// The `values` of rank `root`; those of other ranks are ignored, and their length need not fit. Collective.
  public borrowing func broadcast<E: MPIElement>(_ values: [E], root: Int) throws(MPIError) -> [E] {
    var count = [values.count]
    var countSpan = count.mutableSpan
    try broadcast(&countSpan, root: root)
    var result = rank == root ? values : [E](repeating: .zero, count: count[0])
    var span = result.mutableSpan
    try broadcast(&span, root: root)
    return result
  }

  /// The combination, element by element, of the `values` of all ranks. Collective: all pass the same count.
  public borrowing func allReduce<E: MPIElement>(
    _ values: [E], _ operation: Reduction
  ) throws(MPIError) -> [E] {
    var result = values
    var span = result.mutableSpan
    try allReduce(&span, operation)
    return result
  }

  /// The combination of the `value` of all ranks. Collective.
  public borrowing func allReduce<E: MPIElement>(_ value: E, _ operation: Reduction) throws(MPIError) -> E {
    try allReduce([value], operation)[0]
  }

  /// The `values` of every rank, by rank; of any length. Collective.
  public borrowing func allGather<E: MPIElement>(_ values: [E]) throws(MPIError) -> [[E]] {
    let partition = try partition(ofLength: values.count)
    var all = [E](repeating: .zero, count: partition.end)
    var span = all.mutableSpan
    try allGather(values.span, into: &span, partition)
    return (0..<size).map { Array(all[partition.range(of: $0)]) }
  }

  /// The `value` of every rank, by rank. Collective.
  public borrowing func allGather<E: MPIElement>(_ value: E) throws(MPIError) -> [E] {
    let partition = Partition(counts: [Int](repeating: 1, count: size))
    var all = [E](repeating: value, count: size)
    var span = all.mutableSpan
    try allGather(inPlace: &span, partition)
    return all
  }

  /// The `values` of every rank, by rank, on rank `root`, and `nil` elsewhere; of any length. Collective.
  public borrowing func gather<E: MPIElement>(_ values: [E], root: Int) throws(MPIError) -> [[E]]? {
    let partition = try partition(ofLength: values.count)
    var all = rank == root ? [E](repeating: .zero, count: partition.end) : []
    var span = all.mutableSpan
    try gather(values.span, into: &span, partition, root: root)
    return rank == root ? (0..<size).map { Array(all[partition.range(of: $0)]) } : nil
  }

  /// What each rank has for this one, by rank, where `values[r]` is what this rank has for rank r; of any length.
  /// Collective.
  public borrowing func allToAll<E: MPIElement>(_ values: [[E]]) throws(MPIError) -> [[E]] {
    precondition(values.count == size, "\(values.count) arrays for \(size) ranks")
    let one = Partition(counts: [Int](repeating: 1, count: size))
    let sending = values.map(\.count)
    var receiving = [Int](repeating: 0, count: size)
    var countSpan = receiving.mutableSpan
    try allToAll(sending.span, one, into: &countSpan, one)
    let incoming = Partition(counts: receiving)
    let sent = values.flatMap { $0 }
    var received = [E](repeating: .zero, count: incoming.end)
    var span = received.mutableSpan
    try allToAll(sent.span, Partition(counts: sending), into: &span, incoming)
    return (0..<size).map { Array(received[incoming.range(of: $0)]) }
  }

  private borrowing func partition(ofLength count: Int) throws(MPIError) -> Partition {
    Partition(counts: try allGather(count))
  }
}
