/// A group of objects in a file.
public struct HDF5Group: ~Copyable, Sendable, HDF5Container, HDF5Attributed {
  let identifier: Identifier
  let session: FileSession
  /// From the root, `/train`.
  public let path: String

  public var location: HDF5Location {
    HDF5Location(handle: identifier.handle, session: session, path: path)
  }
}
