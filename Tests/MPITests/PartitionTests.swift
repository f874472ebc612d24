import Testing

@testable import MPI

@Suite struct PartitionTests {
  @Test func partsBehindEachOther() {
    let partition = Partition(counts: [3, 0, 2])
    #expect(partition.displacements == [0, 3, 3])
    #expect(partition.end == 5)
    #expect(partition.range(of: 1) == 3..<3)
    #expect(partition.range(of: 2) == 3..<5)
    #expect(partition.narrowCounts == [3, 0, 2])
  }

  @Test func partsAnywhere() {
    let partition = Partition(counts: [3, 0, 2], displacements: [4, 100, 0])
    #expect(partition.end == 7)
    #expect(partition.range(of: 0) == 4..<7)
    #expect(partition.range(of: 1).isEmpty)
    #expect(partition.range(of: 1).upperBound <= partition.end)
  }

  @Test func evenParts() {
    for (total, parts) in [(0, 3), (1, 3), (10, 3), (12, 4), (7, 1), (Int.max, 5)] {
      let partition = Partition(total: total, parts: parts)
      #expect(partition.end == total)
      let sizes = Set(partition.counts)
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(total) in \(parts)")
    }
    #expect(Partition(total: 10, parts: 4).counts == [2, 3, 2, 3])
  }

  @Test func partsBeyondInt32() {
    let partition = Partition(counts: [1 << 31, 1])
    #expect(partition.end == 1 << 31 + 1)
    #expect(partition.narrowCounts.isEmpty)
    #expect(partition.narrowDisplacements.isEmpty)
  }
}

@Suite struct ErrorTests {
  @Test func describesItself() {
    #expect(
      MPIError(kind: .library, call: "MPI_Bcast", code: 5, text: "MPI_ERR_COMM: invalid").description
        == "MPI_Bcast failed: MPI_ERR_COMM: invalid")
    #expect(MPIError(kind: .mismatch, call: "barrier", text: "no").description == "barrier: no")
  }
}
