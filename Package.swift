// swift-tools-version: 6.3
import PackageDescription

/// The processor that the kernels are compiled for, as clang's `-march` names it. The default is the machine that builds;
/// set `APUS_PROCESSOR=x86-64-v3` (say) to build once for a cluster whose nodes differ.
let processor = Context.environment["APUS_PROCESSOR"] ?? "native"

let common: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// What the program itself is built with; tests may be laxer. Exclusive access that the compiler cannot prove is checked in
/// debug builds, with all tests; in a step of one row the checks would take a fifth of the time.
let house: [SwiftSetting] =
  common + [
    .strictMemorySafety(), .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
  ]

/// Loops over `Float` vectorise only where clang may forget `errno` and knows the processor. Debug builds are optimised here as well,
/// with their assertions: tests would spend most of their time in these loops.
let vectorised: [SwiftSetting] = [
  .unsafeFlags(["-Xcc", "-fno-math-errno", "-Xcc", "-march=\(processor)"]),
  .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug)),
]

func library(_ name: String, _ dependencies: [String], settings: [SwiftSetting] = []) -> Target {
  .target(name: name, dependencies: dependencies.map { .byName(name: $0) }, swiftSettings: house + settings)
}

func program(_ name: String, _ dependencies: [String], path: String? = nil) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies.map { .byName(name: $0) }, path: path, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [String], resources: [Resource]? = nil) -> Target {
  .testTarget(
    name: name, dependencies: (dependencies + ["TestSupport"]).map { .byName(name: $0) }, resources: resources,
    swiftSettings: common)
}

let package = Package(
  name: "apus",
  products: [.executable(name: "apus", targets: ["apus"])],
  targets: [
    // The C libraries that every cluster has, and headers for what Swift cannot say: sums that may be reordered, tiles of a
    // product that stay in registers, bytes compared 64 at a time, products of polynomials over bits, and processes.
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    // No pkg-config: it would ask for the shared library, and only the archive is wanted.
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CRelaxed"),
    .systemLibrary(name: "CTiles"),
    .systemLibrary(name: "CMarks"),
    .systemLibrary(name: "CProcess"),
    .systemLibrary(name: "CCarryless"),

    // Ground floor: the outside world, made safe. `unsafe` is written here and nowhere above.
    library("Files", ["CCarryless", "CProcess", "CZlib"]),
    library("MPI", ["CMPI", "Watch"]),
    library("HDF5", ["CHDF5", "CZlib"], settings: vectorised),
    library("Redis", ["CHiredis"]),

    // What a rank does, and a watchdog for the ranks that do not go on.
    library("Watch", ["Files", "Text"]),
    library("Kernels", ["CBLAS", "CMarks", "CRelaxed", "CTiles"], settings: vectorised),

    // Text in and out.
    library("JSON", []),
    library("Text", []),

    // What a model, its data and its training are; none of these knows MPI.
    library("Data", ["Files", "HDF5", "JSON", "Kernels", "Text", "Watch"]),
    library("Model", ["Kernels"]),
    library("Optimization", ["Kernels", "Model"]),

    // Learning and judging row by row, for streams.
    library("Online", ["JSON", "Kernels", "Model", "Optimization"]),

    // What goes wrong, in the user's words, and how all ranks come to know of it.
    library("Failures", ["Data", "Files", "MPI"]),

    // Files that people write: what their keys may hold, and all mistakes at once with their places.
    library("Settings", ["Failures", "Files", "JSON", "Text"]),

    // Ranks together: tables into shards, and the training loop.
    library(
      "Preparation", ["Data", "Failures", "Files", "JSON", "Kernels", "MPI", "Settings", "Text"], settings: vectorised),
    library("Parallel", ["Data", "Files", "Kernels", "MPI", "Model", "Watch"]),
    library(
      "Training",
      [
        "Data", "Failures", "Files", "JSON", "Kernels", "MPI", "Model", "Online", "Optimization", "Parallel",
        "Settings", "Text", "Watch",
      ]),

    // Models that learn from streams: row by row, on all ranks, with their evaluation and what notices drift.
    library(
      "Streaming",
      [
        "Data", "Failures", "Files", "HDF5", "JSON", "Kernels", "MPI", "Model", "Online", "Optimization", "Parallel",
        "Preparation", "Redis", "Settings", "Text", "Training", "Watch",
      ]),

    // How long a step would take, and on how many ranks.
    library(
      "Planning",
      [
        "Data", "Failures", "Files", "JSON", "Kernels", "MPI", "Model", "Optimization", "Parallel", "Training",
      ]),

    // Above the ranks: starts mpirun, and starts it again.
    library("Launch", ["Failures", "Files", "JSON", "Text", "Watch"]),

    program(
      "apus",
      [
        "Data", "Failures", "Files", "HDF5", "JSON", "Kernels", "Launch", "MPI", "Model", "Optimization", "Parallel",
        "Online", "Planning", "Preparation", "Streaming", "Text", "Training", "Watch",
      ]),
    program(
      "apus-bench",
      [
        "AllocationCount", "Data", "Failures", "Files", "HDF5", "JSON", "Kernels", "MPI", "Model", "Online",
        "Optimization",
        "Parallel", "Planning", "Preparation", "Text", "Training",
      ]),

    // Tests.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: common),
    .target(name: "AllocationCount", path: "Tests/AllocationCount"),
    program(
      "RankCases",
      ["Data", "Failures", "Files", "Kernels", "MPI", "Model", "Optimization", "Parallel", "Preparation", "Training"],
      path: "Tests/RankCases"),
    tests("FilesTests", ["Files"]),
    tests("WatchTests", ["Files", "Watch"]),
    tests("LaunchTests", ["Failures", "Files", "JSON", "Launch"]),
    tests("MPITests", ["MPI", "RankCases"]),
    tests("HDF5Tests", ["HDF5"]),
    tests("RedisTests", ["Redis"]),
    tests("KernelsTests", ["Kernels"]),
    tests("JSONTests", ["JSON"]),
    tests("TextTests", ["Text"]),
    tests("DataTests", ["Data", "Files", "HDF5", "JSON", "Kernels"]),
    tests(
      "PreparationTests", ["Data", "Failures", "Files", "JSON", "Kernels", "MPI", "Preparation", "Settings"]),
    tests("ModelTests", ["Kernels", "Model"]),
    tests("OptimizationTests", ["AllocationCount", "Kernels", "Model", "Optimization"]),
    tests(
      "OnlineTests", ["AllocationCount", "Files", "JSON", "Kernels", "Model", "Online", "Optimization"],
      resources: [.copy("Reference")]),
    tests("ParallelTests", ["Data", "Kernels", "MPI", "Model", "Parallel", "RankCases"]),
    tests(
      "TrainingTests",
      [
        "Data", "Failures", "Files", "JSON", "Kernels", "Model", "Optimization", "Parallel", "RankCases", "Settings",
        "Training",
      ]),
    tests("StreamingTests", ["Data", "JSON", "Kernels", "Streaming"]),
    tests(
      "PlanningTests", ["Data", "Failures", "JSON", "Model", "Parallel", "Planning", "Training"]),
    tests(
      "CommandTests", ["Data", "Files", "JSON", "Preparation", "Streaming", "Training", "apus"],
      resources: [.copy("Reference")]),
  ]
)
