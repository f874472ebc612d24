public import Kernels
public import MPI

/// The collectives on float buffers. (A span of a class's buffer cannot leave the access to it, so spans are made here.)
extension Communicator {
  /// Adds `buffer` over all ranks; every rank ends with the sum. Collective.
  public borrowing func sum(_ buffer: inout FloatBuffer) throws(MPIError) {
    var span = buffer.mutableSpan
    try allReduce(&span, .sum)
  }

  /// Copies the first `count` elements of `buffer` of rank `root`, all without a count, to every rank. Collective: all pass the same
  /// count.
  public borrowing func broadcast(_ buffer: inout FloatBuffer, count: Int? = nil, root: Int) throws(MPIError) {
    var span = buffer.mutableSpan
    var part = span._mutatingExtracting(first: count ?? span.count)
    try broadcast(&part, root: root)
  }

  /// Sends each rank its part of `source` and receives one from each. Collective; see `allToAll` on spans.
  public borrowing func allToAll(
    _ source: borrowing FloatBuffer, _ sending: Partition, into target: inout FloatBuffer, _ receiving: Partition,
    portion: Int = .max
  ) throws(MPIError) {
    var span = target.mutableSpan
    try allToAll(source.span, sending, into: &span, receiving, portion: portion)
  }

  /// Collects the beginning of `part` of every rank, as long as the partition says. Collective; see `allGather` on spans.
  public borrowing func allGather(
    _ part: borrowing FloatBuffer, into result: inout FloatBuffer, _ partition: Partition
  ) throws(MPIError) {
    var span = result.mutableSpan
    try allGather(part.span.extracting(first: partition.counts[rank]), into: &span, partition)
  }

  /// Collects the parts of all ranks where each has its own in place. Collective; see `allGather` on spans.
  public borrowing func allGather(inPlace buffer: inout FloatBuffer, _ partition: Partition) throws(MPIError) {
    var span = buffer.mutableSpan
    try allGather(inPlace: &span, partition)
  }

  /// Adds the beginning of `buffer` over all ranks and gives each its part. Collective; see `reduceScatter` on spans.
  public borrowing func reduceScatter(
    _ buffer: borrowing FloatBuffer, into part: inout FloatBuffer, _ partition: Partition
  ) throws(MPIError) {
    var span = part.mutableSpan
    try reduceScatter(buffer.span.extracting(first: partition.end), into: &span, partition, .sum)
  }

  /// Waits for a message of rank `other` and returns its number of elements; see `receive` on spans.
  borrowing func receive(into buffer: inout FloatBuffer, from other: Int, tag: Int) throws(MPIError) -> Int {
    var span = buffer.mutableSpan
    return try receive(into: &span, from: other, tag: tag)
  }

  /// Sends the first `count` elements of `buffer`; see `send` on spans.
  borrowing func send(
    _ buffer: borrowing FloatBuffer, count: Int, to other: Int, tag: Int
  ) throws(MPIError) {
    try send(buffer.span.extracting(first: count), to: other, tag: tag)
  }
}
