import CHDF5

extension HDF5Dataset {
  /// Reads whole rows as they are stored, in either byte order.
  ///
  /// Shapes: `destination` holds at least `rows.count` times the product of the other dimensions; what it holds more may be written
  /// over, and saves a copy of the last chunk where there is room for its checksum.
  /// Large pieces are fast, and so are small ones one after the other: each chunk is decoded once.
  /// - Throws: `HDF5Error`: `.typeMismatch` if `Element` is not the stored type, `.checksum` with the damaged rows.
  public func read<Element: HDF5Element>(
    rows: Range<Int>, into destination: inout MutableSpan<Element>
  ) throws(HDF5Error) {
    try checkType(Element.self)
    try readRows(rows, into: &destination)
  }

  /// Reads whole rows and converts each number to `Element`, as the library converts: to the nearest where the
  /// result is floating point, cut to the range and towards zero where it is an integer.
  public func readConverting<Element: HDF5Element>(
    rows: Range<Int>, into destination: inout MutableSpan<Element>
  ) throws(HDF5Error) {
    try checkConvertible(to: Element.self)
    try readRows(rows, into: &destination)
  }

  /// Reads the block of `count` elements a dimension that begins at `start`, as they are stored.
  public func read<Element: HDF5Element>(
    start: [Int], count: [Int], into destination: inout MutableSpan<Element>
  ) throws(HDF5Error) {
    try checkType(Element.self)
    try readBlock(start: start, count: count, into: &destination)
  }

  /// Reads the block of `count` elements a dimension that begins at `start` and converts each number.
  public func readConverting<Element: HDF5Element>(
    start: [Int], count: [Int], into destination: inout MutableSpan<Element>
  ) throws(HDF5Error) {
    try checkConvertible(to: Element.self)
    try readBlock(start: start, count: count, into: &destination)
  }

  /// All elements, row-major. For data that are known to be small.
  public func values<Element: HDF5Element>(as type: Element.Type = Element.self) throws(HDF5Error) -> [Element] {
    let shape = shape
    guard let count = DatasetLayout.product(shape, 1) else { throw location.forbidden("has too many elements") }
    var result = [Element](repeating: Element(), count: count)
    var span = result.mutableSpan
    try read(start: shape.map { _ in 0 }, count: shape, into: &span)
    return result
  }

  private func checkType<Element: HDF5Element>(_ type: Element.Type) throws(HDF5Error) {
    guard elementType == Element.elementType else {
      throw HDF5Error(
        .typeMismatch, "'\(path)' in '\(file)' holds \(elementType), not \(Element.elementType)", path: file)
    }
  }

  private func checkConvertible<Element: HDF5Element>(to type: Element.Type) throws(HDF5Error) {
    guard elementType.isConvertible else {
      throw HDF5Error(
        .typeMismatch, "'\(path)' in '\(file)' holds \(elementType), which is not a number to convert", path: file)
    }
  }

  private func readRows<Element: HDF5Element>(
    _ rows: Range<Int>, into destination: inout MutableSpan<Element>
  ) throws(HDF5Error) {
    let shape = shape
    guard let length = shape.first else {
      throw HDF5Error(.typeMismatch, "'\(path)' in '\(file)' is a single value and has no rows", path: file)
    }
    try checkRows(rows, of: length)
    let start = [rows.lowerBound] + shape.dropFirst().map { _ in 0 }
    try readBlock(start: start, count: [rows.count] + shape.dropFirst(), into: &destination)
  }

  func checkRows(_ rows: Range<Int>, of length: Int) throws(HDF5Error) {
    guard rows.lowerBound >= 0, rows.upperBound <= length else {
      throw HDF5Error(
        .other,
        "rows \(rows.lowerBound)..<\(rows.upperBound) of '\(path)' in '\(file)' are wanted, but it has \(length)",
        path: file)
    }
  }

  private func readBlock<Element: HDF5Element>(
    start: [Int], count: [Int], into destination: inout MutableSpan<Element>
  ) throws(HDF5Error) {
    precondition(
      start.count == count.count && start.allSatisfy { $0 >= 0 } && count.allSatisfy { $0 >= 0 },
      "start \(start) and count \(count) do not describe a block")
    guard let elements = DatasetLayout.product(count, 1) else {
      preconditionFailure("a block of \(count) elements")
    }
    precondition(destination.count >= elements, "room for \(destination.count) elements, \(elements) are read")
    try unsafe destination.withUnsafeMutableBytes { bytes throws(HDF5Error) in
      guard let base = bytes.baseAddress, elements > 0 else { return }
      try unsafe read(start: start, count: count, as: Element.native, into: base, room: bytes.count)
    }
  }

  /// Reads a block, by the faster of the ways that are open.
  private func read(
    start: [Int], count: [Int], as type: hid_t, into base: UnsafeMutableRawPointer, room: Int
  ) throws(HDF5Error) {
    let shape = shape
    guard let chunks = state.chunks, type == elementType.native, count.count == shape.count,
      count.dropFirst() == shape.dropFirst(), start.dropFirst().allSatisfy({ $0 == 0 }),
      count[0] <= shape[0], start[0] <= shape[0] - count[0]
    else {
      return try Library.locked { () throws(HDF5Error) in
        try unsafe readByLibrary(start: start, count: count, as: type, into: base)
      }
    }
    try unsafe chunks.read(start[0]..<start[0] + count[0], of: identifier.handle, into: base, room: room) {
      rows, place throws(HDF5Error) in
      try Library.locked { () throws(HDF5Error) in
        try unsafe readByLibrary(
          start: [rows.lowerBound] + start.dropFirst(), count: [rows.count] + count.dropFirst(), as: type, into: place)
      }
    }
  }

  /// Reads a block, and if its chunks are damaged says which of them. The caller holds the lock.
  private func readByLibrary(
    start: [Int], count: [Int], as type: hid_t, into base: UnsafeMutableRawPointer
  ) throws(HDF5Error) {
    do throws(HDF5Error) {
      try unsafe readOnce(start: start, count: count, as: type, into: base)
    } catch {
      guard error.kind == .checksum, let side = chunk?.first, let first = start.first else { throw error }
      let end = first + count[0]
      var row = first
      while row < end {
        // To the end of the chunk that the row lies in. What was asked for has failed, so its place serves for trials.
        let next = min(end, row - row % side + side)
        try unsafe readOnce(
          start: [row] + start.dropFirst(), count: [next - row] + count.dropFirst(), as: type, into: base)
        row = next
      }
      throw error
    }
  }

  private func readOnce(
    start: [Int], count: [Int], as type: hid_t, into base: UnsafeMutableRawPointer
  ) throws(HDF5Error) {
    let what = "read \(Self.blockName(start, count)) of '\(path)'"
    let spaces = try selection(start: start, count: count, what)
    try check(
      unsafe H5Dread(identifier.handle, type, spaces.memory.handle, spaces.file.handle, Library.numberTransfer, base),
      "H5Dread", what, path: file)
  }

  static func blockName(_ start: [Int], _ count: [Int]) -> String {
    guard let first = start.first, let rows = count.first else { return "the value" }
    return rows == 1 ? "row \(first)" : "rows \(first) to \(first + rows - 1)"
  }
}

/// A block in the file, and the array in memory that it goes to.
struct Selection: ~Copyable {
  let memory: Identifier
  let file: Identifier
}

extension HDF5Dataset {
  /// The caller holds the lock.
  func selection(start: [Int], count: [Int], _ what: String) throws(HDF5Error) -> Selection {
    try session.checkUsable()
    let space = try Identifier(H5Dget_space(identifier.handle), "H5Dget_space", what, path: file)
    // The same rank on both sides: otherwise the library goes through chunks element by element.
    let memory = try location.dataSpace(count, .fixed, what)
    if !count.isEmpty {
      let (starts, counts) = (start.map { hsize_t($0) }, count.map { hsize_t($0) })
      guard Int(H5Sget_simple_extent_ndims(space.handle)) == counts.count else {
        throw HDF5Error(.typeMismatch, "cannot \(what) in '\(file)': it has another rank", path: file)
      }
      try check(
        unsafe H5Sselect_hyperslab(space.handle, H5S_SELECT_SET, starts, nil, counts, nil), "H5Sselect_hyperslab",
        what, path: file)
    }
    return Selection(memory: memory, file: space)
  }
}
