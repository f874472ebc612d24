import Foundation

/// The programs of this package that tests run.
public enum Binaries {
  /// `apus`, built as the tests are.
  public static let apus = path("apus")

  /// `RankCases`, which MPI tests run under `mpirun`.
  public static let rankCases = path("RankCases")

  /// `apus` as users get it: optimised. `nil` unless `APUS_RELEASE_BINARY` names it, as `Scripts/test` does.
  public static let release: String? = ProcessInfo.processInfo.environment["APUS_RELEASE_BINARY"]

  /// The optimised `apus` where there is one, else the one built as the tests are.
  public static let fastest = release ?? apus

  /// The path of a program of this package: it lies beside the test bundle.
  public static func path(_ name: String) -> String { folder + "/" + name }

  /// The folder that the tests were built into.
  public static let folder: String = {
    let running = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let beside = (running as NSString).deletingLastPathComponent
    if running.hasSuffix(".xctest") { return beside }
    return PackageRoot.file(".build/debug")
  }()
}
