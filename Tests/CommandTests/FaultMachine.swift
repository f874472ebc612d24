import Foundation
import Glibc
import TestSupport

/// What this machine lets tests of faults do.
enum FaultMachine {
  /// A command before another that runs it without the rights of root; empty where the tests have none themselves.
  static let withoutRights = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : ""

  /// Whether a program can be run that may not read everything, from where this package lies.
  static let canDropRights: Bool = {
    guard geteuid() == 0 else { return true }
    return (try? Run.shell("\(withoutRights) '\(Binaries.apus)' --version"))?.exitCode == 0
  }()

  /// Memory that programs can have now.
  static let availableBytes: Int = {
    let memory = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let line = memory.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    return 1_024 * (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
  }()

  /// Whether a small file system can be mounted, to fill it.
  static let canMount: Bool = {
    guard geteuid() == 0, let folder = try? TemporaryDirectory("mount") else { return false }
    return (try? Run.shell("mount -t tmpfs -o size=64k none '\(folder.path)' && umount '\(folder.path)'"))?.exitCode
      == 0
  }()
}
