import Foundation
import TestSupport

/// A small file system of its own that can be frozen, as a storage server can that does not answer any more.
///
/// A process that nobody's end takes along thaws and unmounts it when the value goes, when the owner ends, however it does, or after two
/// minutes: nothing that is frozen or mounted is left behind.
final class LoopDisk {
  /// Why there can be none here; empty where there can.
  static let obstacle: String = {
    guard geteuid() == 0 else { return "only root can mount and freeze a file system" }
    do {
      let disk = try LoopDisk()
      try disk.freeze()
      try disk.thaw()
      return ""
    } catch {
      return "\(error)"
    }
  }()

  private struct Obstacle: Error, CustomStringConvertible {
    let description: String
  }

  private static let guardian = """
    here=$PWD
    image=$(mktemp -p /dev/shm apus-disk.XXXXXX || mktemp)
    truncate -s 32M "$image" && mkfs.ext4 -q -F "$image" && mount -o loop "$image" disk 2>>failure
    failed=$?
    rm -f "$image"
    if ((failed)); then touch gone; exit; fi
    mkdir disk/run
    touch mounted
    for ((tenths = 0; tenths < 1200; tenths++)); do
      if [[ -e over ]] || ! kill -0 "$1"; then break; fi
      sleep 0.1
    done
    fsfreeze -u disk
    [[ -e over ]] || pkill -9 -f "$here"
    for ((tenths = 0; tenths < 100; tenths++)); do
      umount disk && break
      sleep 0.1
    done
    mountpoint -q disk && umount -l disk
    touch gone
    """

  private let folder: TemporaryDirectory
  /// An empty folder in the file system.
  var path: String { folder.file("disk/run") }

  /// - Parameter owner: the process after whose end nothing may be left; this one.
  init(owner: Int32 = getpid()) throws {
    folder = try TemporaryDirectory("disk")
    try FileManager.default.createDirectory(atPath: folder.file("disk"), withIntermediateDirectories: false)
    try folder.write(text: Self.guardian, to: "guardian")
    // Its words do not name the folder: whose words do is killed in the end.
    _ = try Run.shell(
      "setsid --fork bash guardian \(owner) </dev/null >/dev/null 2>&1", workingDirectory: folder.path)
    guard wait(until: { folder.contains("mounted") || folder.contains("gone") }), folder.contains("mounted") else {
      let why = (try? folder.readText("failure")) ?? ""
      throw Obstacle(description: why.isEmpty ? "no file system can be made and mounted" : why)
    }
  }

  deinit {
    _ = try? folder.write(text: "", to: "over")
    _ = isGone
  }

  /// Everything that would change it waits, and cannot be killed meanwhile.
  func freeze() throws { try act("-f") }

  func thaw() throws { try act("-u") }

  /// Whether it is unmounted, after a while at most.
  var isGone: Bool {
    wait(until: { folder.contains("gone") })
      && (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8))?.contains(folder.path) == false
  }

  private func act(_ option: String) throws {
    let result = try Run.program("fsfreeze", [option, folder.file("disk")])
    guard result.exitCode == 0 else { throw Obstacle(description: "\(result)") }
  }

  private func wait(until condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while !condition(), ContinuousClock.now < deadline { usleep(10_000) }
    return condition()
  }
}
