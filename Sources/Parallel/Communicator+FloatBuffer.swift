public import Kernels
public import MPI

/// The collectives on float buffers. (A span of a class's buffer cannot leave the access to it, so spans are made here.)
extension Communicator {
  /// Adds `buffer` over all ranks; every rank ends with the sum. Collective.
  public borrowing func sum(_ buffer: inout FloatBuffer) throws(MPIError) {
    var span = buffer.mutableSpan
    try allReduce(&span, .sum)
  }

  /// Copies `buffer` of rank `root` to every rank. Collective: all pass the same count.
  public borrowing func broadcast(_ buffer: inout FloatBuffer, root: Int) throws(MPIError) {
    var span = buffer.mutableSpan
    try broadcast(&span, root: root)
  }

  /// Sends each rank its part of `source` and receives one from each. Collective; see `allToAll` on spans.
  public borrowing func allToAll(
    _ source: borrowing FloatBuffer, _ sending: Partition, into target: inout FloatBuffer, _ receiving: Partition
  ) throws(MPIError) {
    var span = target.mutableSpan
    try allToAll(source.span, sending, into: &span, receiving)
  }

  /// Collects the beginning of `part` of every rank, as long as the partition says. Collective; see `allGather` on spans.
  public borrowing func allGather(
    _ part: borrowing FloatBuffer, into result: inout FloatBuffer, _ partition: Partition
  ) throws(MPIError) {
    var span = result.mutableSpan
    try allGather(part.span.extracting(first: partition.counts[rank]), into: &span, partition)
  }
}
