import CProcess
import Glibc

/// The one door to the kernel: one function for each call that can fail, retried where a signal interrupted it.
///
/// Every call passes `made`, where a `FaultPlan` can make it fail.
package enum SystemCall {
  /// The calls by the names of their C functions.
  package enum Name: String, CaseIterable, Sendable {
    case open, close, pread, write, pwrite, fsync, fdatasync, ftruncate, fstat, stat, lstat, flock, mkdir, rename,
      unlink, rmdir
    case opendir, readdir, statvfs, getcwd, poll, read, pipe, spawn, waitpid, kill, signalfd, readlink, thread
    case fallocate, fcntl
  }

  /// A call that failed, with the value of `errno`.
  struct Failure: Error {
    let call: Name
    let code: Int32
  }

  static func open(_ path: String, _ flags: Int32) throws(Failure) -> Int32 {
    try pathIsWhole(path, .open)
    // Every descriptor is closed on exec: a child must not keep a lock or a deleted file alive.
    let descriptor = try made(.open) { unsafe Glibc.open(path, flags | O_CLOEXEC, 0o666) }
    if flags & O_DIRECTORY != 0 {
      FaultPlan.current?.note(.openDirectory(descriptor: descriptor, path: path))
    } else if flags & O_ACCMODE != O_RDONLY {
      FaultPlan.current?.note(
        .open(
          descriptor: descriptor, path: path, creates: flags & O_CREAT != 0, empties: flags & O_TRUNC != 0))
    }
    return descriptor
  }

  /// Not retried: Linux has released the descriptor even if it reports EINTR (close(2)).
  static func close(_ descriptor: Int32) throws(Failure) {
    if let effect = FaultPlan.current?.effect(on: .close) {
      if effect == .kill { killSelf() }
      if case .fail(let code) = effect {
        _ = Glibc.close(descriptor)
        throw Failure(call: .close, code: code)
      }
    }
    FaultPlan.current?.note(.close(descriptor: descriptor))
    if Glibc.close(descriptor) == -1, errno != EINTR { throw Failure(call: .close, code: errno) }
  }

  /// May read less than the buffer holds; 0 is the end of the file.
  static func pread(
    _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Failure) -> Int {
    try moved(.pread, buffer.count) { count in unsafe Glibc.pread(descriptor, buffer.baseAddress, count, offset) }
  }

  /// May write less than the buffer holds.
  static func write(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) throws(Failure) -> Int {
    let count = try moved(.write, buffer.count) { count in unsafe Glibc.write(descriptor, buffer.baseAddress, count) }
    FaultPlan.current?.note(unsafe .write(descriptor: descriptor, offset: nil, bytes: Array(buffer[..<count])))
    return count
  }

  /// As `write`, at an offset and without moving the place where `write` goes on.
  static func pwrite(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer, at offset: Int) throws(Failure) -> Int {
    let count = try moved(.pwrite, buffer.count) { count in
      unsafe Glibc.pwrite(descriptor, buffer.baseAddress, count, offset)
    }
    FaultPlan.current?.note(unsafe .write(descriptor: descriptor, offset: offset, bytes: Array(buffer[..<count])))
    return count
  }

  static func fsync(_ descriptor: Int32) throws(Failure) {
    _ = try made(.fsync) { Glibc.fsync(descriptor) }
    FaultPlan.current?.note(.synchronize(descriptor: descriptor))
  }

  /// As `fsync`, without what nobody needs to read the bytes back, as the time of the last change.
  static func fdatasync(_ descriptor: Int32) throws(Failure) {
    _ = try made(.fdatasync) { Glibc.fdatasync(descriptor) }
    FaultPlan.current?.note(.synchronize(descriptor: descriptor))
  }

  static func ftruncate(_ descriptor: Int32, _ bytes: Int) throws(Failure) {
    _ = try made(.ftruncate) { Glibc.ftruncate(descriptor, bytes) }
    FaultPlan.current?.note(.truncate(descriptor: descriptor, bytes: bytes))
  }

  /// Takes the room for a file of so many bytes. What it holds stays, and zeros follow.
  static func fallocate(_ descriptor: Int32, _ bytes: Int) throws(Failure) {
    _ = try made(.fallocate) { cprocess_reserve(descriptor, bytes) }
  }

  /// Lets writes go past the system's cache, or through it again.
  static func setDirect(_ descriptor: Int32, _ isDirect: Bool) throws(Failure) {
    _ = try made(.fcntl) { cprocess_set_direct(descriptor, isDirect ? 1 : 0) }
  }

  static func fstat(_ descriptor: Int32) throws(Failure) -> Glibc.stat {
    var result = Glibc.stat()
    _ = try made(.fstat) { unsafe Glibc.fstat(descriptor, &result) }
    return result
  }

  static func stat(_ path: String) throws(Failure) -> Glibc.stat {
    try pathIsWhole(path, .stat)
    var result = Glibc.stat()
    _ = try made(.stat) { look(at: path, &result) }
    return result
  }

  /// As `stat`, but of a symbolic link itself.
  static func lstat(_ path: String) throws(Failure) -> Glibc.stat {
    try pathIsWhole(path, .lstat)
    var result = Glibc.stat()
    _ = try made(.lstat) { unsafe Glibc.lstat(path, &result) }
    return result
  }

  static func flock(_ descriptor: Int32, _ operation: Int32) throws(Failure) {
    _ = try made(.flock) { lock(descriptor, operation) }
  }

  static func mkdir(_ path: String) throws(Failure) {
    try pathIsWhole(path, .mkdir)
    _ = try made(.mkdir) { unsafe Glibc.mkdir(path, 0o777) }
    FaultPlan.current?.note(.makeDirectory(path))
  }

  static func rename(_ path: String, _ newPath: String) throws(Failure) {
    try pathIsWhole(path, .rename)
    try pathIsWhole(newPath, .rename)
    _ = try made(.rename) { unsafe Glibc.rename(path, newPath) }
    FaultPlan.current?.note(.rename(path, to: newPath))
  }

  static func unlink(_ path: String) throws(Failure) {
    try pathIsWhole(path, .unlink)
    _ = try made(.unlink) { unsafe Glibc.unlink(path) }
    FaultPlan.current?.note(.remove(path))
  }

  static func rmdir(_ path: String) throws(Failure) {
    try pathIsWhole(path, .rmdir)
    _ = try made(.rmdir) { unsafe Glibc.rmdir(path) }
    FaultPlan.current?.note(.removeDirectory(path))
  }

  static func statvfs(_ path: String) throws(Failure) -> Glibc.statvfs {
    try pathIsWhole(path, .statvfs)
    var result = Glibc.statvfs()
    _ = try made(.statvfs) { lookAtFileSystem(of: path, &result) }
    return result
  }

  static func getcwd() throws(Failure) -> String {
    var path = ""
    _ = try made(.getcwd) {
      // With a null buffer glibc allocates one of the right size (getcwd(3)).
      guard let buffer = unsafe Glibc.getcwd(nil, 0) else { return -1 }
      path = unsafe String(cString: buffer)
      unsafe free(buffer)
      return 0
    }
    return path
  }

  /// Waits until `descriptor` can be written to.
  static func pollWritable(_ descriptor: Int32) throws(Failure) {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = try made(.poll) { unsafe Glibc.poll(&wanted, 1, -1) }
  }

  /// The names in a folder as the file system orders them, without "." and "..".
  static func names(in path: String) throws(Failure) -> [String] {
    try pathIsWhole(path, .opendir)
    var stream: OpaquePointer?
    _ = try made(.opendir) {
      unsafe stream = Glibc.opendir(path)
      return unsafe stream == nil ? -1 : 0
    }
    guard let stream = unsafe stream else { return [] }
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    while true {
      var entry: UnsafeMutablePointer<dirent>?
      _ = try made(.readdir) {
        // readdir(3) tells the end from a failure only by `errno`.
        errno = 0
        unsafe entry = Glibc.readdir(stream)
        return unsafe entry == nil && errno != 0 ? -1 : 0
      }
      guard let entry = unsafe entry else { return names }
      // The record ends with its name, before the 256 bytes that the type declares: it must not be copied as a value.
      guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else {
        preconditionFailure("dirent has no stored d_name")
      }
      let start = unsafe UnsafeRawPointer(entry).advanced(by: offset)
      let name = unsafe String(cString: start.assumingMemoryBound(to: CChar.self))
      if name != ".", name != ".." { names.append(name) }
    }
  }

  /// A NUL would end the path early in C and name another file.
  static func pathIsWhole(_ path: String, _ call: Name) throws(Failure) {
    guard !path.utf8.contains(0) else { throw Failure(call: call, code: EINVAL) }
  }

  /// A call that moves up to `count` bytes.
  static func moved(_ call: Name, _ count: Int, _ body: (Int) -> Int) throws(Failure) -> Int {
    var asked = count
    return try made(call, cutShort: { asked = min(count, max(1, count / 2)) }, { body(asked) })
  }

  static func made<R: SignedInteger>(
    _ call: Name, cutShort: () -> Void = {}, _ body: () -> R
  ) throws(Failure) -> R {
    while true {
      switch FaultPlan.current?.effect(on: call) {
      case nil: break
      case .fail(EINTR): continue
      case .fail(let code): throw Failure(call: call, code: code)
      case .cutShort: cutShort()
      case .kill: killSelf()
      }
      let result = body()
      if result != -1 { return result }
      let code = errno
      if code != EINTR { throw Failure(call: call, code: code) }
    }
  }

  private static func killSelf() {
    _ = Glibc.kill(getpid(), SIGKILL)
  }
}

// C has a type and a function of each of these names; only outside `SystemCall`, which has a third, do they resolve.

private func look(at path: String, _ result: inout stat) -> Int32 { unsafe stat(path, &result) }

private func lookAtFileSystem(of path: String, _ result: inout statvfs) -> Int32 { unsafe statvfs(path, &result) }

private func lock(_ descriptor: Int32, _ operation: Int32) -> Int32 { flock(descriptor, operation) }
