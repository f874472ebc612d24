import Foundation
import HDF5
import Testing

/// Files that cannot be opened or read, each with its own message.
@Suite struct FileErrorTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func failureOfFile(_ path: String) throws -> HDF5Error {
    let error = try failure { _ = try HDF5File.open(path) }
    #expect(error.path == path)
    #expect(error.description.contains("'\(path)'"))
    return error
  }

  @Test func missing() throws {
    let error = try failureOfFile(scratch.path("nothing.h5"))
    #expect(error.kind == .missing)
    #expect(error.message == "cannot open '\(scratch.path("nothing.h5"))': No such file or directory")
    #expect(try failureOfFile(scratch.path("nothing/x.h5")).kind == .missing)
    #expect(try failure { _ = try HDF5File.open("") }.kind == .missing)
    #expect(try failure { _ = try HDF5File.open("a\0b") }.kind == .missing)
  }

  @Test func directory() throws {
    #expect(try failureOfFile(scratch.folder).kind == .directory)
  }

  @Test(.enabled(if: getuid() != 0, "root may read everything"))
  func permission() throws {
    let path = try scratch.write("text".utf8, to: "x.h5")
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    #expect(try failureOfFile(path).kind == .permission)
  }

  @Test func pipe() throws {
    let path = scratch.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    #expect(try failureOfFile(path).kind == .notHDF5)
  }

  @Test func notHDF5() throws {
    let cases: [([UInt8], String)] = [
      ([], "is not an HDF5 file: it is empty"),
      (Array("a,b\n1,2\n".utf8), #"it begins with "a,b\n1,2\n""#),
      (
        Array("<!DOCTYPE html>\n<html><head><title>404 Not Found".utf8),
        #"it begins with "<!DOCTYPE html>\n<html><head><title>404 N" (a web page? Perhaps a download failed)"#
      ),
      (Array("version https://git-lfs.github.com/spec/v1".utf8), "fetch the file with 'git lfs pull')"),
      (
        [0x1F, 0x8B, 0x08, 0x00, 0xFF],
        #"it begins with "\x1f\x8b\x08\x00\xff" (compressed with gzip; unpack it first)"#
      ),
      ([UInt8](repeating: 0, count: 100_000), #"it begins with "\x00\x00"#),
    ]
    for (bytes, message) in cases {
      let error = try failureOfFile(try scratch.write(bytes, to: "x.h5"))
      #expect(error.kind == .notHDF5)
      #expect(error.message.contains(message), "\(error)")
    }
  }

  @Test func truncated() throws {
    let path = scratch.path("whole.h5")
    try writeFile(path, [Float](repeating: 1, count: 10_000), shape: [100, 100], chunk: [10, 100])
    let whole = try bytes(of: path)
    for length in [whole.count - 1, whole.count / 2, 600] {
      let error = try failureOfFile(try scratch.write(whole.prefix(length), to: "short.h5"))
      #expect(error.kind == .truncated)
      #expect(error.message.contains("it has \(length) bytes and its header says \(whole.count);"), "\(error)")
    }
    // Not even the header, or not even the signature.
    for length in 1..<100 {
      let error = try failureOfFile(try scratch.write(whole.prefix(length), to: "short.h5"))
      #expect(error.kind == (length < 8 ? .notHDF5 : .truncated), "\(length): \(error)")
    }
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func truncatedFileOfH5py() throws {
    let path = scratch.path("whole.h5")
    try Python.text("f = h5py.File(sys.argv[1], 'w'); f['features'] = numpy.ones((100, 100), 'f4'); f.close()", [path])
    let whole = try bytes(of: path)
    let error = try failureOfFile(try scratch.write(whole.dropLast(1000), to: "short.h5"))
    #expect(error.kind == .truncated)
    #expect(
      error.message.contains("it has \(whole.count - 1000) bytes and its header says \(whole.count);"), "\(error)")
  }

  @Test(arguments: [nil, 6])
  func flippedBit(deflate: Int?) throws {
    let path = scratch.path("x.h5")
    // Values whose bytes compress badly and can be found in the file.
    let values = (0..<10_000).map { Float($0 * 7919 % 10_007) }
    try writeFile(
      path, values, shape: [100, 100], chunk: [10, 100], filters: Filters(deflate: deflate, fletcher32: true))
    var contents = try bytes(of: path)
    // In the last third: the data of a late chunk.
    contents[contents.count * 2 / 3] ^= 0x10
    let damaged = try scratch.write(contents, to: "damaged.h5")
    let dataset = try HDF5File.open(damaged).dataset(named: "features")
    let error = try failure { _ = try dataset.values(as: Float.self) }
    #expect(error.kind == .checksum)
    #expect(error.call == "H5Dread")
    #expect(error.stack.contains { $0.contains("Fletcher32") })
    // Ten rows are a chunk, and only that chunk is bad.
    let bad = try #require(
      (0..<10).first { error.message.contains("cannot read rows \($0 * 10) to \($0 * 10 + 9) of") })
    for chunk in 0..<10 where chunk != bad {
      #expect(try dataset.rows(chunk * 10..<chunk * 10 + 10) == Array(values[chunk * 1000..<chunk * 1000 + 1000]))
    }
    #expect(try failure { _ = try dataset.rows(bad * 10 + 3..<bad * 10 + 4, as: Float.self) }.kind == .checksum)
  }

  /// No flip of a bit may crash, and none in the data may go unnoticed.
  @Test func flipsEverywhere() throws {
    let path = scratch.path("x.h5")
    let values = (0..<256).map { Float($0 * 7919 % 10_007) }
    try writeFile(path, values, shape: [64, 4], chunk: [16, 4], filters: Filters(fletcher32: true))
    let contents = try bytes(of: path)
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    func put(_ byte: UInt8, at index: Int) throws {
      try handle.seek(toOffset: UInt64(index))
      try handle.write(contentsOf: [byte])
    }
    for index in contents.indices {
      try put(contents[index] ^ 1 << UInt8(index % 8), at: index)
      let read = try? HDF5File.open(path).dataset(named: "features").values(as: Float.self)
      #expect(read == nil || read == values, "byte \(index)")
      try put(contents[index], at: index)
    }
  }

  @Test func missingObjects() throws {
    let path = scratch.path("x.h5")
    let file = try HDF5File.create(path)
    _ = try file.createGroup(named: "train").createDataset(named: "x", type: .float32, shape: [1])
    _ = try file.createDataset(named: "y", type: .float32, shape: [1])
    try file.close()
    let again = try HDF5File.open(path)
    let error = try failure { _ = try again.dataset(named: "features") }
    #expect(error.kind == .missing)
    #expect(error.message == "there is no '/features' in '\(path)'; '/' has train, y")
    #expect(
      try failure { _ = try again.dataset(named: "train/y") }.message
        == "there is no '/train/y' in '\(path)'; '/train' has x")
    #expect(try failure { _ = try again.dataset(named: "y/z") }.kind == .missing)
    #expect(try failure { _ = try again.dataset(named: "a\0") }.kind == .missing)
    #expect(try failure { _ = try again.dataset(named: "train") }.kind == .typeMismatch)
    #expect(try failure { _ = try again.dataset(named: "/") }.kind == .typeMismatch)
    #expect(throws: HDF5Error.self) { _ = try again.group(named: "y") }
  }

  @Test func existingObjects() throws {
    let file = try HDF5File.create(scratch.path("x.h5"))
    _ = try file.createDataset(named: "y", type: .float32, shape: [1])
    let error = try failure { _ = try file.createDataset(named: "y", type: .float32, shape: [1]) }
    #expect(error.kind == .other)
    #expect(error.call == "H5Dcreate2")
    #expect(error.stack.count > 1)
    #expect(error.message.hasPrefix("cannot create '/y' in "))
  }

  @Test func creatingWhereThereIsNoFolder() throws {
    let error = try failure { _ = try HDF5File.create(scratch.path("no/x.h5")) }
    #expect(error.message.contains("No such file or directory"), "\(error)")
    #expect(error.kind == .missing)
  }

  /// A full disk shows when the file is closed, and must not be missed there.
  @Test(.enabled(if: FileManager.default.isWritableFile(atPath: "/dev/full"), "no /dev/full"))
  func fullDisk() throws {
    let error = try failure {
      let file = try HDF5File.create("/dev/full")
      let dataset = try file.createDataset(named: "features", type: .float32, shape: [1000])
      try dataset.write([Float](repeating: 1, count: 1000))
      try file.close()
    }
    #expect(error.kind == .noSpace, "\(error) \(error.stack)")
  }

  /// The disk fills up while the file is open: what its descriptor leads to is put in place of the disk.
  private func fillDisk(under path: String) throws {
    let full = open("/dev/full", O_RDWR)
    defer { close(full) }
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
    }
    let descriptor = try #require(descriptors.first.flatMap { Int32($0) })
    // The file stays open, as it would: its number on the disk must not pass to the file of another test.
    #expect(dup(descriptor) >= 0)
    #expect(dup2(full, descriptor) == descriptor)
  }

  /// HDF5 1.10 crashes where it closes what it could not write; and a failure must not get lost with a data set that
  /// nobody closes, nor a later success of the library hide it.
  @Test(
    .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/full"), "no /dev/full"),
    arguments: [nil, [10, 100]] as [[Int]?], [true, false])
  func diskFillsUp(chunk: [Int]?, flushes: Bool) throws {
    let path = scratch.path("x.h5")
    let values = [Float](repeating: 1, count: 100_000)
    var errors: [HDF5Error] = []
    func attempt(_ body: () throws -> Void) {
      do { try body() } catch { errors += [error as? HDF5Error].compactMap { $0 } }
    }
    let file = try HDF5File.create(path)
    do {
      let first = try file.createDataset(named: "first", type: .float32, shape: [1000, 100], chunk: chunk)
      let second = try file.createDataset(
        named: "second", type: .float32, shape: [1000, 100], chunk: [10, 100], filters: Filters(fletcher32: true))
      try first.write(values.span.extracting(first: 1000), rows: 0..<10)
      try fillDisk(under: path)
      // The library's cache takes these; the failure shows when the data set goes out of scope.
      attempt { try second.write(values.span.extracting(first: 500), rows: 0..<5) }
      if flushes {
        attempt { try file.flush() }
        attempt { try first.write(values) }
        attempt { _ = try first.rows(0..<1000, as: Float.self) }
        attempt { _ = try file.createDataset(named: "third", type: .float32, shape: [1]) }
        #expect(errors.count >= 4)
      }
    }
    do {
      try file.close()
      Issue.record("a file that could not be written was closed without an error")
    } catch {
      #expect(error.kind == .noSpace, "\(error) \(error.stack)")
      #expect(errors.allSatisfy { $0 == error })
    }
    // The library is well.
    let other = scratch.path("y.h5")
    try writeFile(other, [1, 2] as [Float], shape: [2])
    #expect(try HDF5File.open(other).dataset(named: "features").values(as: Float.self) == [1, 2])
  }

  @Test func useAfterClosing() throws {
    let file = try HDF5File.create(scratch.path("x.h5"))
    let dataset = try file.createDataset(named: "y", type: .float32, shape: [1])
    try file.close()
    #expect(throws: HDF5Error.self) { try dataset.write([Float(1)]) }
  }
}
