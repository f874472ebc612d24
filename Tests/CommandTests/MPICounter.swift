import Foundation
import TestSupport
import Testing

/// A library between a program and MPI that counts the calls with which ranks say something to each other.
struct MPICounter {
  /// What a rank, or all together, have said.
  struct Counts: Equatable {
    var calls: [String: Int] = [:]
    var bytes: [String: Int] = [:]

    /// Calls by name, without those that were not made.
    static func - (one: Counts, other: Counts) -> Counts {
      func difference(_ one: [String: Int], _ other: [String: Int]) -> [String: Int] {
        one.merging(other) { $0 - $1 }.filter { $0.value != 0 }
      }
      return Counts(calls: difference(one.calls, other.calls), bytes: difference(one.bytes, other.bytes))
    }
  }

  private let library: String

  /// Builds the library. The checks of debug builds use a call of their own (`MPI_Iallgather`), which is not counted.
  init(in directory: TemporaryDirectory) throws {
    // Name, parameters, arguments, and the bytes that a rank brings to the call.
    let calls = [
      (
        "MPI_Allreduce", "const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c", "a, b, n, t, o, c",
        "n * size(t)"
      ),
      (
        "MPI_Reduce", "const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, int r, MPI_Comm c",
        "a, b, n, t, o, r, c", "n * size(t)"
      ),
      (
        "MPI_Reduce_scatter", "const void *a, void *b, const int *n, MPI_Datatype t, MPI_Op o, MPI_Comm c",
        "a, b, n, t, o, c", "all(n, c) * size(t)"
      ),
      (
        "MPI_Allgather", "const void *a, int n, MPI_Datatype t, void *b, int m, MPI_Datatype u, MPI_Comm c",
        "a, n, t, b, m, u, c", "m * size(u)"
      ),
      (
        "MPI_Allgatherv",
        "const void *a, int n, MPI_Datatype t, void *b, const int *m, const int *d, MPI_Datatype u, MPI_Comm c",
        "a, n, t, b, m, d, u, c", "m[rank(c)] * size(u)"
      ),
      (
        "MPI_Alltoallv",
        "const void *a, const int *n, const int *e, MPI_Datatype t, void *b, const int *m, const int *d, MPI_Datatype u, "
          + "MPI_Comm c",
        "a, n, e, t, b, m, d, u, c", "all(n, c) * size(t)"
      ),
      (
        "MPI_Bcast", "void *a, int n, MPI_Datatype t, int r, MPI_Comm c", "a, n, t, r, c",
        "rank(c) == r ? n * size(t) : 0"
      ),
      ("MPI_Barrier", "MPI_Comm c", "c", "0"),
      (
        "MPI_Send", "const void *a, int n, MPI_Datatype t, int r, int g, MPI_Comm c", "a, n, t, r, g, c", "n * size(t)"
      ),
      (
        "MPI_Isend", "const void *a, int n, MPI_Datatype t, int r, int g, MPI_Comm c, MPI_Request *q",
        "a, n, t, r, g, c, q", "n * size(t)"
      ),
    ]
    var source = """
      #include <mpi.h>
      #include <stdio.h>
      static long size(MPI_Datatype t) { int n; PMPI_Type_size(t, &n); return n; }
      static int rank(MPI_Comm c) { int r; PMPI_Comm_rank(c, &r); return r; }
      static long all(const int *n, MPI_Comm c) {
        int ranks; long sum = 0;
        PMPI_Comm_size(c, &ranks);
        for (int i = 0; i < ranks; i++) sum += n[i];
        return sum;
      }

      """
    for (name, parameters, arguments, bytes) in calls {
      source += """
        static long n\(name), b\(name);
        int \(name)(\(parameters)) { n\(name)++; b\(name) += \(bytes); return P\(name)(\(arguments)); }

        """
    }
    let told = calls.map { "fprintf(stderr, \"counted %d \($0.0) %ld %ld\\n\", r, n\($0.0), b\($0.0));" }.joined()
    source += """
      int MPI_Finalize(void) {
        int r = rank(MPI_COMM_WORLD);
        \(told)
        return PMPI_Finalize();
      }

      """
    let path = try directory.write(text: source, to: "counter.c")
    library = directory.file("counter.so")
    let result = try Run.shell("clang -shared -fPIC -o '\(library)' '\(path)' $(pkg-config --cflags --libs ompi-c)")
    try #require(result.exitCode == 0, "\(result)")
  }

  /// Trains, and says what rank 0, or all ranks together, have said.
  func train(_ arguments: [String], ranks: Int, of counted: Range<Int>) throws -> Counts {
    let result = try MPILauncher.run(
      ranks: ranks, Binaries.apus, arguments, options: ["-x", "LD_PRELOAD=" + library])
    try #require(result.exitCode == 0, "\(result)")
    var counts = Counts()
    for line in result.errorLines where line.hasPrefix("counted ") {
      let words = line.split(separator: " ")
      guard let rank = Int(words[1]), counted.contains(rank) else { continue }
      counts.calls[String(words[2]), default: 0] += Int(words[3]) ?? 0
      counts.bytes[String(words[2]), default: 0] += Int(words[4]) ?? 0
    }
    try #require(!counts.calls.isEmpty)
    return counts
  }
}
