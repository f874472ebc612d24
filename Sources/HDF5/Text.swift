import CHDF5

/// Text in and out of the library, which holds it in two forms: of one fixed size, or each text in memory of its own.
enum Text {
  /// The most that is read at once: names of classes and columns, not corpora.
  static let largestBytes = 256 << 20

  /// Reads `count` texts of the type that `stored` stands for, through `transfer`, which is given the type in memory and
  /// where to put the elements. The caller holds the lock.
  static func read(
    _ count: Int, stored: hid_t, space: hid_t, what: String, at place: HDF5Location,
    _ transfer: (hid_t, UnsafeMutableRawPointer) -> herr_t
  ) throws(HDF5Error) -> [String] {
    guard count > 0 else { return [] }
    let isVariable = H5Tis_variable_str(stored) > 0
    let size = isVariable ? MemoryLayout<UInt>.size : H5Tget_size(stored)
    guard let bytes = DatasetLayout.product([count], size), bytes <= largestBytes else {
      throw place.forbidden("holds more text than \(largestBytes) bytes")
    }
    // The type as the file has it: text is never converted, only its end is found.
    let type = try Identifier(H5Tcopy(stored), "H5Tcopy", what, path: place.file)
    return isVariable
      ? try unsafe readVariable(count, type.handle, space, what, place, transfer)
      : try unsafe readFixed(count, size, type.handle, what, place, transfer)
  }

  private static func readFixed(
    _ count: Int, _ size: Int, _ type: hid_t, _ what: String, _ place: HDF5Location,
    _ transfer: (hid_t, UnsafeMutableRawPointer) -> herr_t
  ) throws(HDF5Error) -> [String] {
    var bytes = [UInt8](repeating: 0, count: count * size)
    let status = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe buffer.baseAddress.map { unsafe transfer(type, $0) } ?? 0
    }
    try check(status, "H5Dread", what, path: place.file)
    let isSpacePadded = H5Tget_strpad(type) == H5T_STR_SPACEPAD
    return (0..<count).map { index in
      var text = bytes[index * size..<(index + 1) * size].prefix { $0 != 0 }
      if isSpacePadded { while text.last == 0x20 { text.removeLast() } }
      return String(decoding: text, as: UTF8.self)
    }
  }

  private static func readVariable(
    _ count: Int, _ type: hid_t, _ space: hid_t, _ what: String, _ place: HDF5Location,
    _ transfer: (hid_t, UnsafeMutableRawPointer) -> herr_t
  ) throws(HDF5Error) -> [String] {
    var pointers = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    let status = unsafe pointers.withUnsafeMutableBytes { buffer in
      unsafe buffer.baseAddress.map { unsafe transfer(type, $0) } ?? 0
    }
    try check(status, "H5Dread", what, path: place.file)
    let texts = unsafe pointers.map { pointer in unsafe pointer.map { unsafe String(cString: $0) } ?? "" }
    try check(
      unsafe H5Dvlen_reclaim(type, space, chdf5_default(), &pointers), "H5Dvlen_reclaim", what, path: place.file)
    return texts
  }

  /// A type for text of `bytes` at most, or of any length if nil; UTF-8, which ASCII is too.
  static func type(bytes: Int?, _ what: String, at place: HDF5Location) throws(HDF5Error) -> Identifier {
    let type = try Identifier(H5Tcopy(chdf5_c_string()), "H5Tcopy", what, path: place.file)
    let size = bytes.map { max(1, $0) } ?? chdf5_variable_length()
    try check(H5Tset_size(type.handle, size), "H5Tset_size", what, path: place.file)
    try check(H5Tset_cset(type.handle, H5T_CSET_UTF8), "H5Tset_cset", what, path: place.file)
    if bytes != nil {
      try check(H5Tset_strpad(type.handle, H5T_STR_NULLPAD), "H5Tset_strpad", what, path: place.file)
    }
    return type
  }

  /// The texts one after the other, each filled with zeros to `size` bytes.
  static func padded(_ texts: [String], size: Int) -> [UInt8] {
    texts.flatMap { text in Array(text.utf8) + [UInt8](repeating: 0, count: size - text.utf8.count) }
  }

  /// Calls `body` with the texts as the library wants those of any length: an array of C strings.
  static func withPointers<Result>(
    to texts: [String], _ body: (UnsafeRawPointer) throws(HDF5Error) -> Result
  ) throws(HDF5Error) -> Result {
    // All texts in one block, each with its zero behind it.
    var block: [CChar] = []
    var offsets: [Int] = []
    for text in texts {
      offsets.append(block.count)
      block += text.utf8.map { CChar(bitPattern: $0) }
      block.append(0)
    }
    return try unsafe block.withUnsafeBufferPointer { buffer throws(HDF5Error) in
      guard let start = buffer.baseAddress else { preconditionFailure("no text to write") }
      let pointers = unsafe offsets.map { offset in unsafe start + offset }
      return try unsafe body(pointers)
    }
  }
}
