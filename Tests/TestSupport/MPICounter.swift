/// Counts the calls that ranks make to the MPI library and the bytes that they bring to them.
///
/// A library between program and MPI that tells at the end. The checks of debug builds use calls that are not counted.
public struct MPICounter {
  /// What one rank has said, or several together, by the name of the function.
  public struct Counts: Equatable, Sendable {
    public var calls: [String: Int] = [:]
    public var bytes: [String: Int] = [:]

    public init() {}

    /// What was said more; calls that were not made are left out.
    public static func - (one: Counts, other: Counts) -> Counts {
      one.merging(other) { $0 - $1 }
    }

    public static func + (one: Counts, other: Counts) -> Counts {
      one.merging(other) { $0 + $1 }
    }

    private func merging(_ other: Counts, _ combine: (Int, Int) -> Int) -> Counts {
      var result = Counts()
      result.calls = calls.merging(other.calls, uniquingKeysWith: combine).filter { $0.value != 0 }
      result.bytes = bytes.merging(other.bytes, uniquingKeysWith: combine).filter { $0.value != 0 }
      return result
    }

    /// Calls and bytes of messages to single ranks, then of calls that a group makes together.
    public var totals: [Int] {
      let sends: Set<String> = ["MPI_Send", "MPI_Isend"]
      return [true, false].flatMap { isSend in
        [calls, bytes].map { numbers in
          numbers.filter { sends.contains($0.key) == isSend }.values.reduce(0, +)
        }
      }
    }
  }

  /// What went wrong when the library was built.
  struct BuildFailure: Error { let result: RunResult }

  private let library: String

  /// Builds the library in `directory`.
  public init(in directory: TemporaryDirectory) throws {
    var source = """
      #include <mpi.h>
      #include <stdio.h>
      static long size(MPI_Datatype t) { int s; PMPI_Type_size(t, &s); return s; }
      static int me(MPI_Comm c) { int r; PMPI_Comm_rank(c, &r); return r; }
      static long sum(const int *n, MPI_Comm c) {
        int s; long all = 0;
        PMPI_Comm_size(c, &s);
        for (int i = 0; i < s; i++) all += n[i];
        return all;
      }

      """
    for call in Self.calls {
      source += """
        static long n\(call.name), b\(call.name);
        int \(call.name)(\(call.parameters)) {
          n\(call.name)++; b\(call.name) += \(call.bytes); return P\(call.name)(\(call.arguments));
        }

        """
    }
    let told = Self.calls.map { call in
      "if (n\(call.name)) fprintf(stderr, \"counted %d \(call.name) %ld %ld\\n\", me(MPI_COMM_WORLD), n\(call.name), b\(call.name));"
    }
    source += "int MPI_Finalize(void) { \(told.joined(separator: "\n  ")) return PMPI_Finalize(); }\n"
    let path = try directory.write(text: source, to: "counter.c")
    library = directory.file("counter.so")
    let result = try Run.shell("clang -shared -fPIC -o '\(library)' '\(path)' $(pkg-config --cflags --libs ompi-c)")
    guard result.exitCode == 0 else { throw BuildFailure(result: result) }
  }

  /// What `mpirun` needs for ranks to be counted.
  public var options: [String] { ["-x", "LD_PRELOAD=" + library] }

  /// The counts of each rank, from what a program wrote to standard error.
  public static func counts(in text: String, ranks: Int) -> [Counts] {
    var counts = [Counts](repeating: Counts(), count: ranks)
    for line in text.split(separator: "\n") where line.hasPrefix("counted ") {
      let words = line.split(separator: " ")
      guard words.count == 5, let rank = Int(words[1]), let calls = Int(words[3]), let bytes = Int(words[4]) else {
        continue
      }
      counts[rank].calls[String(words[2])] = calls
      counts[rank].bytes[String(words[2])] = bytes
    }
    return counts
  }

  private struct Call {
    let name: String
    let parameters: String
    let arguments: String
    /// What this rank brings.
    let bytes: String

    init(_ name: String, _ parameters: String, _ arguments: String, bytes: String) {
      self.name = name
      self.parameters = parameters
      self.arguments = arguments
      self.bytes = bytes
    }
  }

  private static let calls = [
    Call(
      "MPI_Send", "const void *a, int n, MPI_Datatype t, int r, int g, MPI_Comm c", "a, n, t, r, g, c",
      bytes: "n * size(t)"),
    Call(
      "MPI_Isend", "const void *a, int n, MPI_Datatype t, int r, int g, MPI_Comm c, MPI_Request *q",
      "a, n, t, r, g, c, q",
      bytes: "n * size(t)"),
    Call(
      "MPI_Allreduce", "const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c", "a, b, n, t, o, c",
      bytes: "n * size(t)"),
    Call(
      "MPI_Reduce", "const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, int r, MPI_Comm c", "a, b, n, t, o, r, c",
      bytes: "n * size(t)"),
    Call(
      "MPI_Reduce_scatter", "const void *a, void *b, const int *n, MPI_Datatype t, MPI_Op o, MPI_Comm c",
      "a, b, n, t, o, c", bytes: "sum(n, c) * size(t)"),
    Call(
      "MPI_Allgather", "const void *a, int n, MPI_Datatype t, void *b, int m, MPI_Datatype u, MPI_Comm c",
      "a, n, t, b, m, u, c", bytes: "m * size(u)"),
    Call(
      "MPI_Allgatherv",
      "const void *a, int n, MPI_Datatype t, void *b, const int *m, const int *d, MPI_Datatype u, MPI_Comm c",
      "a, n, t, b, m, d, u, c", bytes: "m[me(c)] * size(u)"),
    Call(
      "MPI_Iallgatherv",
      "const void *a, int n, MPI_Datatype t, void *b, const int *m, const int *d, MPI_Datatype u, MPI_Comm c, MPI_Request *q",
      "a, n, t, b, m, d, u, c, q", bytes: "m[me(c)] * size(u)"),
    Call(
      "MPI_Alltoallv",
      "const void *a, const int *n, const int *e, MPI_Datatype t, void *b, const int *m, const int *d, MPI_Datatype u, MPI_Comm c",
      "a, n, e, t, b, m, d, u, c", bytes: "sum(n, c) * size(t)"),
    Call(
      "MPI_Bcast", "void *a, int n, MPI_Datatype t, int r, MPI_Comm c", "a, n, t, r, c",
      bytes: "(me(c) == r ? n * size(t) : 0)"),
    Call("MPI_Barrier", "MPI_Comm c", "c", bytes: "0"),
  ]
}
