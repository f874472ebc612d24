import CHDF5

/// The value of an attribute: text or numbers, one or many.
///
/// Text is written with a fixed size, where the checksum of the header covers it; h5py shows such text as bytes.
public enum HDF5Attribute: Equatable, Sendable {
  case string(String)
  case strings([String])
  case integer(Int)
  case integers([Int])
  case number(Double)
  case numbers([Double])
}

/// What carries attributes: a file (its root group), a group, a data set.
public protocol HDF5Attributed: ~Copyable {
  var location: HDF5Location { get }
}

extension HDF5Attributed where Self: ~Copyable {
  /// The names of all attributes, sorted.
  public func attributeNames() throws(HDF5Error) -> [String] {
    let location = location
    return try Library.locked { () throws(HDF5Error) in
      try unsafe location.visited("H5Aiterate2", "list the attributes of '\(location.path)'") { visit, context in
        unsafe chdf5_visit_attributes(location.handle, visit, context)
      }
    }
  }

  /// The attribute `name`, nil if there is none. Values of more than one dimension come row-major.
  public func attribute(named name: String) throws(HDF5Error) -> HDF5Attribute? {
    let location = location
    return try Library.locked { () throws(HDF5Error) in try location.readAttribute(name) }
  }

  /// Writes the attribute `name`, in place of one that is there.
  public func setAttribute(_ name: String, to value: HDF5Attribute) throws(HDF5Error) {
    let location = location
    precondition(!location.isReadOnly, "'\(location.file)' is open for reading")
    try Library.locked { () throws(HDF5Error) in
      try location.session.write { () throws(HDF5Error) in try location.writeAttribute(name, value) }
    }
  }
}

extension HDF5Location {
  /// Attributes are small; a file that claims otherwise is not believed.
  private static let largestAttribute = 16 << 20

  fileprivate func readAttribute(_ name: String) throws(HDF5Error) -> HDF5Attribute? {
    let what = "read the attribute '\(name)' of '\(path)'"
    guard !name.utf8.contains(0) else { return nil }
    let present = unsafe H5Aexists(handle, name)
    try check(present, "H5Aexists", what, path: file)
    guard present > 0 else { return nil }
    let attribute = try Identifier(unsafe H5Aopen(handle, name, chdf5_default()), "H5Aopen", what, path: file)
    let type = try Identifier(H5Aget_type(attribute.handle), "H5Aget_type", what, path: file)
    let space = try Identifier(H5Aget_space(attribute.handle), "H5Aget_space", what, path: file)
    let isOne = H5Sget_simple_extent_type(space.handle) == H5S_SCALAR
    let (count, overflow) = Int(H5Sget_simple_extent_npoints(space.handle)).multipliedReportingOverflow(by: 8)
    guard !overflow, 0...Self.largestAttribute ~= count else {
      throw forbidden("has an attribute '\(name)' of more than \(Self.largestAttribute) bytes")
    }

    let elementType = ElementType(of: type.handle)
    switch elementType {
    case .string:
      let texts = try unsafe Text.read(count / 8, stored: type.handle, space: space.handle, what: what, at: self) {
        unsafe H5Aread(attribute.handle, $0, $1)
      }
      return isOne ? .string(texts[0]) : .strings(texts)
    case .float32, .float64, .half:
      let numbers = try read(attribute.handle, count / 8, as: Double.self, what)
      return isOne ? .number(numbers[0]) : .numbers(numbers)
    case .uint64:
      let numbers = try read(attribute.handle, count / 8, as: UInt64.self, what)
      let integers = numbers.compactMap { Int(exactly: $0) }
      guard integers.count == numbers.count else {
        throw HDF5Error(.typeMismatch, "cannot \(what) in '\(file)': it is larger than \(Int.max)", path: file)
      }
      return isOne ? .integer(integers[0]) : .integers(integers)
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32:
      let integers = try read(attribute.handle, count / 8, as: Int.self, what)
      return isOne ? .integer(integers[0]) : .integers(integers)
    case .other(let type):
      throw HDF5Error(.typeMismatch, "cannot \(what) in '\(file)': its type is \(type)", path: file)
    }
  }

  private func read<Element: HDF5Element>(
    _ attribute: hid_t, _ count: Int, as type: Element.Type, _ what: String
  ) throws(HDF5Error) -> [Element] {
    var values = [Element](repeating: Element(), count: count)
    if count > 0 {
      try check(unsafe H5Aread(attribute, Element.native, &values), "H5Aread", what, path: file)
    }
    return values
  }

  fileprivate func writeAttribute(_ name: String, _ value: HDF5Attribute) throws(HDF5Error) {
    let what = "write the attribute '\(name)' of '\(path)'"
    precondition(!name.isEmpty && !name.utf8.contains(0), "'\(name)' cannot be the name of an attribute")
    if unsafe H5Aexists(handle, name) > 0 {
      try check(unsafe H5Adelete(handle, name), "H5Adelete", what, path: file)
    }
    switch value {
    case .string(let text): try write(name, [text], shape: [], what)
    case .strings(let texts): try write(name, texts, shape: [texts.count], what)
    case .integer(let integer): try write(name, [integer], shape: [], what)
    case .integers(let integers): try write(name, integers, shape: [integers.count], what)
    case .number(let number): try write(name, [number], shape: [], what)
    case .numbers(let numbers): try write(name, numbers, shape: [numbers.count], what)
    }
  }

  private func write(_ name: String, _ texts: [String], shape: [Int], _ what: String) throws(HDF5Error) {
    let size = max(1, texts.map(\.utf8.count).max() ?? 0)
    let type = try Text.type(bytes: size, what, at: self)
    try unsafe write(name, type.handle, Text.padded(texts, size: size), shape: shape, what)
  }

  private func write<Element: HDF5Element>(
    _ name: String, _ values: [Element], shape: [Int], _ what: String
  ) throws(HDF5Error) {
    try unsafe write(name, Element.native, values, shape: shape, what)
  }

  private func write(
    _ name: String, _ type: hid_t, _ values: UnsafeRawPointer, shape: [Int], _ what: String
  ) throws(HDF5Error) {
    let space = try dataSpace(shape, .fixed, what)
    let attribute = try Identifier(
      unsafe H5Acreate2(handle, name, type, space.handle, chdf5_default(), chdf5_default()), "H5Acreate2", what,
      path: file)
    try check(unsafe H5Awrite(attribute.handle, type, values), "H5Awrite", what, path: file)
  }
}
