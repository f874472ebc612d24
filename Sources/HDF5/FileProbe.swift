import Glibc

/// A look at a file before the library sees it, for the mistakes that the library cannot tell apart.
struct FileProbe {
  let bytes: Int
  /// The size that the file says it has; nil where its header cannot be read.
  let recordedBytes: UInt64?
  /// Whether a writer has marked the file as open and has not taken the mark away.
  let isMarkedOpen: Bool

  /// Opens and looks. Throws what keeps the file from being HDF5 at all.
  init(_ path: String) throws(HDF5Error) {
    let descriptor = try Self.open(path)
    defer { Glibc.close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw Self.systemFailure(path, errno) }
    bytes = Int(status.st_size)

    guard let header = Self.header(descriptor, bytes: bytes) else {
      throw HDF5Error(.notHDF5, "'\(path)' \(Self.beginning(descriptor, bytes: bytes))", path: path)
    }
    let superblock = Superblock(header)
    if superblock == nil, header.count < Superblock.largestBytes {
      throw HDF5Error(
        .truncated, "'\(path)' is truncated: its \(bytes) bytes are not even a whole header; was it copied completely?",
        path: path)
    }
    recordedBytes = superblock?.endOfFile
    isMarkedOpen = superblock?.isMarkedOpen ?? false
  }

  /// Throws if the file is shorter than it says.
  func checkLength(_ path: String) throws(HDF5Error) {
    guard !isMarkedOpen, let recordedBytes, recordedBytes > UInt64(bytes) else { return }
    throw HDF5Error(
      .truncated,
      "'\(path)' is truncated: it has \(bytes) bytes and its header says \(recordedBytes); was it copied completely?",
      path: path)
  }

  private static func open(_ path: String) throws(HDF5Error) -> Int32 {
    var status = stat()
    // Before opening: the opening of a pipe would wait for a writer.
    guard unsafe stat(path, &status) == 0 else { throw systemFailure(path, errno) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw HDF5Error(.directory, "'\(path)' is a directory, not an HDF5 file", path: path)
    default: throw HDF5Error(.notHDF5, "'\(path)' is not a regular file", path: path)
    }
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure(path, errno) }
    return descriptor
  }

  private static func systemFailure(_ path: String, _ code: Int32) -> HDF5Error {
    let kind: HDF5Error.Kind =
      switch code {
      case ENOENT, ENOTDIR: .missing
      case EACCES, EPERM: .permission
      default: .other
      }
    let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    return HDF5Error(kind, "cannot open '\(path)': \(text)", path: path)
  }

  /// The bytes from the signature on. It stands at the start of the file, or behind a user block of 512 bytes,
  /// doubled any number of times.
  private static func header(_ descriptor: Int32, bytes: Int) -> [UInt8]? {
    var offset = 0
    while offset < bytes {
      let header = read(descriptor, at: offset, count: Superblock.largestBytes)
      if header.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) { return header }
      offset = offset == 0 ? 512 : offset * 2
    }
    return nil
  }

  private static func read(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = max(0, unsafe pread(descriptor, buffer.baseAddress, count, offset))
    }
  }

  /// What a file that is not HDF5 is instead, as far as its first bytes tell.
  private static func beginning(_ descriptor: Int32, bytes: Int) -> String {
    if bytes == 0 { return "is not an HDF5 file: it is empty" }
    let first = read(descriptor, at: 0, count: 40)
    var text = ""
    for byte in first {
      switch byte {
      case 0x22, 0x5C: text += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: text.unicodeScalars.append(UnicodeScalar(byte))
      case 0x0A: text += "\\n"
      case 0x0D: text += "\\r"
      case 0x09: text += "\\t"
      default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    let trimmed = first.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    let guess =
      if trimmed.first == 0x3C {
        " (a web page? Perhaps a download failed)"
      } else if first.starts(with: "version https://git-lfs".utf8) {
        " (a Git LFS pointer; fetch the file with 'git lfs pull')"
      } else if first.starts(with: [0x1F, 0x8B]) {
        " (compressed with gzip; unpack it first)"
      } else if first.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) || first.starts(with: [0x50, 0x4B, 3, 4]) {
        " (a NumPy or zip file?)"
      } else {
        ""
      }
    return "is not an HDF5 file: it begins with \"\(text)\"\(guess)"
  }
}
