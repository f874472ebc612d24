import Foundation
import TestSupport
import Testing

/// What the ranks say to each other in a step, counted between them and the MPI library.
@Suite struct BitsReductionsTests {
  /// Collectives by name; the checks of debug builds use a call of their own (`MPI_Iallgather`), which is not counted.
  typealias Counts = [String: Int]

  /// One reduction a step carries gradient, loss, count and flags: one `MPI_Allreduce` under `fast`; under `ordered` rank 0 sends
  /// every other rank its slice of each piece of the tree that it holds, and the sums are gathered once.
  @Test(arguments: [
    ("fast", 2, ["MPI_Allreduce": 1]), ("fast", 3, ["MPI_Allreduce": 1]),
    ("ordered", 1, [:]),
    // 12 virtual ranks are one piece of 4 a rank on 3 ranks, and a piece of 4 and one of 2 a rank on 2 ranks.
    ("ordered", 3, ["MPI_Isend": 2, "MPI_Allgatherv": 1]),
    ("ordered", 2, ["MPI_Isend": 2, "MPI_Allgatherv": 1]),
  ])
  func collectivesOfAStep(reduction: String, ranks: Int, expected: Counts) throws {
    let digits = try DigitsTraining()
    let library = try counter(digits.directory)
    let job = try digits.job(
      "job", optimizer: #"kind: "adam""#, train: "batch_size: 50",
      more: """
        parallel: { virtual_ranks: 12, reduction: "\(reduction)" }, checkpoint: { every_seconds: 0 },
        """)
    let counts = try [10, 35].map { steps in
      let run = DigitsRun(digits.directory.file("run-\(steps)"))
      // Without validation: that has collectives of its own, between epochs.
      let result = try MPILauncher.run(
        ranks: ranks, Binaries.apus,
        digits.arguments(job, run, ["--set", "train.steps=\(steps)", "--set", "data.validation_split=null"]),
        options: ["-x", "LD_PRELOAD=" + library])
      try #require(result.exitCode == 0, "\(result)")
      return Self.counts(in: result.standardError)
    }
    #expect(!counts[0].isEmpty)
    let more = counts[1].merging(counts[0]) { $0 - $1 }.filter { $0.value != 0 }
    #expect(more == expected.mapValues { 25 * $0 })
  }

  private static func counts(in text: String) -> Counts {
    var counts: Counts = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("counted ") {
      let words = line.split(separator: " ")
      counts[String(words[1]), default: 0] += Int(words[2]) ?? 0
    }
    return counts
  }

  /// Builds a library that stands between a program and MPI; rank 0 tells at the end how often each call was made.
  private func counter(_ directory: TemporaryDirectory) throws -> String {
    let calls: [(name: String, parameters: String, arguments: String)] = [
      ("MPI_Allreduce", "const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c", "a, b, n, t, o, c"),
      (
        "MPI_Reduce", "const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, int r, MPI_Comm c",
        "a, b, n, t, o, r, c"
      ),
      (
        "MPI_Reduce_scatter", "const void *a, void *b, const int *n, MPI_Datatype t, MPI_Op o, MPI_Comm c",
        "a, b, n, t, o, c"
      ),
      (
        "MPI_Allgather", "const void *a, int n, MPI_Datatype t, void *b, int m, MPI_Datatype u, MPI_Comm c",
        "a, n, t, b, m, u, c"
      ),
      (
        "MPI_Allgatherv",
        "const void *a, int n, MPI_Datatype t, void *b, const int *m, const int *d, MPI_Datatype u, MPI_Comm c",
        "a, n, t, b, m, d, u, c"
      ),
      (
        "MPI_Alltoallv",
        "const void *a, const int *n, const int *e, MPI_Datatype t, void *b, const int *m, const int *d, MPI_Datatype u, "
          + "MPI_Comm c",
        "a, n, e, t, b, m, d, u, c"
      ),
      ("MPI_Bcast", "void *a, int n, MPI_Datatype t, int r, MPI_Comm c", "a, n, t, r, c"),
      ("MPI_Barrier", "MPI_Comm c", "c"),
      ("MPI_Send", "const void *a, int n, MPI_Datatype t, int r, int g, MPI_Comm c", "a, n, t, r, g, c"),
      (
        "MPI_Isend", "const void *a, int n, MPI_Datatype t, int r, int g, MPI_Comm c, MPI_Request *q",
        "a, n, t, r, g, c, q"
      ),
    ]
    var source = "#include <mpi.h>\n#include <stdio.h>\n"
    for (name, parameters, arguments) in calls {
      source += "static long n\(name);\nint \(name)(\(parameters)) { n\(name)++; return P\(name)(\(arguments)); }\n"
    }
    let told = calls.map { "fprintf(stderr, \"counted \($0.name) %ld\\n\", n\($0.name));" }.joined()
    source += """
      int MPI_Finalize(void) {
        int rank;
        PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
        if (rank == 0) { \(told) }
        return PMPI_Finalize();
      }

      """
    let path = try directory.write(text: source, to: "counter.c")
    let library = directory.file("counter.so")
    let result = try Run.shell("clang -shared -fPIC -o '\(library)' '\(path)' $(pkg-config --cflags --libs ompi-c)")
    try #require(result.exitCode == 0, "\(result)")
    return library
  }
}
