import Foundation

@testable import Files

/// A folder as the operations so far have left it, and what of that is sure to outlive a loss of power.
///
/// A file's bytes are sure after `fsync` of the file, the names in a folder after `fsync` of the folder. What came later may be there,
/// be missing, or, of a write, be there in part, each independently of the others: less than any file system promises.
final class CrashModel {
  final class FileNode {
    var bytes: [UInt8] = []
    private(set) var sure: [UInt8] = []
    private(set) var unsure: [Change] = []

    enum Change {
      case write(offset: Int, bytes: [UInt8])
      case truncate(Int)
    }

    func change(_ change: Change) {
      Self.apply(change, to: &bytes)
      unsure.append(change)
    }

    func synchronize() {
      sure = bytes
      unsure = []
    }

    static func apply(_ change: Change, to bytes: inout [UInt8]) {
      switch change {
      case .truncate(let count):
        bytes = Array(bytes.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - bytes.count))
      case .write(let offset, let written):
        if bytes.count < offset + written.count {
          bytes += [UInt8](repeating: 0, count: offset + written.count - bytes.count)
        }
        bytes.replaceSubrange(offset..<offset + written.count, with: written)
      }
    }
  }

  final class FolderNode {
    var entries: [String: Node] = [:]
    private(set) var sure: [String: Node] = [:]
    private(set) var unsure: [Change] = []

    enum Change {
      case set(String, Node)
      case remove(String)
      case rename(String, to: String, Node)
    }

    func change(_ change: Change) {
      Self.apply(change, to: &entries)
      unsure.append(change)
    }

    func synchronize() {
      sure = entries
      unsure = []
    }

    static func apply(_ change: Change, to entries: inout [String: Node]) {
      switch change {
      case .set(let name, let node): entries[name] = node
      case .remove(let name): entries[name] = nil
      case .rename(let name, let newName, let node):
        entries[name] = nil
        entries[newName] = node
      }
    }
  }

  enum Node {
    case file(FileNode)
    case folder(FolderNode)
  }

  private let prefix: String
  private let root = FolderNode()
  /// Of the ranks, whose numbers overlap: each has its own.
  private var open: [Int: [Int32: (node: Node, place: Int)]] = [:]

  /// - Parameter prefix: the path of the folder in the operations, with a slash at its end.
  init(prefix: String) { self.prefix = prefix }

  /// Carries out what rank `rank` did.
  func apply(_ operation: FileOperation, rank: Int) {
    switch operation {
    case .open(let descriptor, let path, let creates, let empties):
      let (folder, name) = place(path)
      if folder.entries[name] == nil, creates { folder.change(.set(name, .file(FileNode()))) }
      guard case .file(let file) = folder.entries[name] else { preconditionFailure("no file '\(path)'") }
      if empties, !file.bytes.isEmpty { file.change(.truncate(0)) }
      open[rank, default: [:]][descriptor] = (.file(file), 0)
    case .openDirectory(let descriptor, let path): open[rank, default: [:]][descriptor] = (.folder(folder(path)), 0)
    case .close(let descriptor): open[rank]?[descriptor] = nil
    case .write(let descriptor, let offset, let bytes):
      guard case .file(let file)? = open[rank]?[descriptor]?.node else { return }
      let place = offset ?? open[rank]?[descriptor]?.place ?? 0
      file.change(.write(offset: place, bytes: bytes))
      if offset == nil { open[rank]?[descriptor]?.place += bytes.count }
    case .truncate(let descriptor, let count):
      if case .file(let file)? = open[rank]?[descriptor]?.node { file.change(.truncate(count)) }
    case .synchronize(let descriptor):
      switch open[rank]?[descriptor]?.node {
      case .file(let file): file.synchronize()
      case .folder(let folder): folder.synchronize()
      case nil: break
      }
    case .makeDirectory(let path):
      let (folder, name) = place(path)
      // Another rank may have been first.
      if folder.entries[name] == nil { folder.change(.set(name, .folder(FolderNode()))) }
    case .rename(let path, let newPath):
      let ((folder, name), (target, newName)) = (place(path), place(newPath))
      guard folder === target, let node = folder.entries[name] else { preconditionFailure("'\(path)' to '\(newPath)'") }
      folder.change(.rename(name, to: newName, node))
    case .remove(let path), .removeDirectory(let path):
      let (folder, name) = place(path)
      folder.change(.remove(name))
    }
  }

  /// Makes the folder at `path` as it is.
  func write(to path: String) throws { try write(root, to: path, bytes: { $0.bytes }, entries: { $0.entries }) }

  /// Makes the folder at `path` as a loss of power may leave it.
  func write(to path: String, losing random: inout some RandomNumberGenerator) throws {
    // How likely it is that something unsure is lost, so that states with little and with much of it come up.
    let odds = [0.1, 0.5, 0.9].randomElement(using: &random) ?? 0.5
    var generator = random
    func lost() -> Bool { Double.random(in: 0..<1, using: &generator) < odds }
    func bytes(_ file: FileNode) -> [UInt8] {
      var bytes = file.sure
      for change in file.unsure.shuffled(using: &generator) where !lost() {
        if case .write(let offset, let all) = change, lost() {
          FileNode.apply(
            .write(offset: offset, bytes: Array(all.prefix(.random(in: 0...all.count, using: &generator)))), to: &bytes)
        } else {
          FileNode.apply(change, to: &bytes)
        }
      }
      return bytes
    }
    func entries(_ folder: FolderNode) -> [String: Node] {
      var entries = folder.sure
      for change in folder.unsure.shuffled(using: &generator) where !lost() { FolderNode.apply(change, to: &entries) }
      return entries
    }
    try write(root, to: path, bytes: bytes, entries: entries)
    random = generator
  }

  private func write(
    _ folder: FolderNode, to path: String, bytes: (FileNode) -> [UInt8], entries: (FolderNode) -> [String: Node]
  ) throws {
    try FileSystem.createDirectory(path)
    for (name, node) in entries(folder).sorted(by: { $0.key < $1.key }) {
      switch node {
      case .file(let file): try FileSystem.write(bytes(file), to: "\(path)/\(name)", atomically: false)
      case .folder(let inner): try write(inner, to: "\(path)/\(name)", bytes: bytes, entries: entries)
      }
    }
  }

  private func folder(_ path: String) -> FolderNode {
    guard path + "/" != prefix else { return root }
    let (folder, name) = place(path)
    guard case .folder(let found) = folder.entries[name] else { preconditionFailure("no folder '\(path)'") }
    return found
  }

  /// The folder that `path` lies in, and its name there.
  private func place(_ path: String) -> (FolderNode, String) {
    precondition(path.hasPrefix(prefix), "'\(path)' is not in '\(prefix)'")
    var names = path.dropFirst(prefix.count).split(separator: "/").map(String.init)
    let name = names.removeLast()
    var folder = root
    for part in names {
      guard case .folder(let inner) = folder.entries[part] else { preconditionFailure("no '\(part)' of '\(path)'") }
      folder = inner
    }
    return (folder, name)
  }
}
