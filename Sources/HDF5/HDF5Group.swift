/// A group of objects in a file.
public struct HDF5Group: ~Copyable, Sendable, HDF5Container, HDF5Attributed {
  let identifier: Identifier
  let file: String
  /// From the root, `/train`.
  public let path: String
  let isReadOnly: Bool

  public var location: HDF5Location {
    HDF5Location(handle: identifier.handle, file: file, path: path, isReadOnly: isReadOnly)
  }
}
