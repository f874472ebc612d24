import CHDF5

/// What holds named objects: a file, which stands for its root group, and a group.
///
/// Names are paths: `features`, `train/features`, or `/train/features` from the root.
public protocol HDF5Container: ~Copyable {
  var location: HDF5Location { get }
}

/// An object in a group.
public struct HDF5Member: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case dataset, group, datatype
    /// A soft, external or user-defined link, which is never followed.
    case link
    /// An object that the library cannot open.
    case damaged
  }

  public let name: String
  public let kind: Kind

  public init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

extension HDF5Container where Self: ~Copyable {
  /// The members of this group, or of the group `path` in it, sorted by name.
  public func names(of path: String = "") throws(HDF5Error) -> [HDF5Member] {
    let location = location
    return try Library.locked { () throws(HDF5Error) in
      let full = try location.resolve(path)
      return try location.linkNames(of: full).map { name in
        HDF5Member(name: name, kind: location.kind(ofMember: full == "/" ? "/\(name)" : "\(full)/\(name)"))
      }
    }
  }

  /// Opens the group `name`.
  public func group(named name: String) throws(HDF5Error) -> HDF5Group {
    let location = location
    return try Library.locked { () throws(HDF5Error) in
      let path = try location.resolve(name)
      let handle = unsafe H5Gopen2(location.handle, path, chdf5_default())
      let identifier = try Identifier(
        handle, "H5Gopen2", "open the group '\(path)'", path: location.file, in: location.session)
      return HDF5Group(identifier: identifier, session: location.session, path: path)
    }
  }

  /// Makes the group `name`; the groups on the way must exist.
  public func createGroup(named name: String) throws(HDF5Error) -> HDF5Group {
    let location = location
    return try Library.locked { () throws(HDF5Error) in
      let path = try location.pathOfNew(name)
      let what = "create the group '\(path)'"
      let creation = try Identifier(
        H5Pcreate(chdf5_group_create_class()), "H5Pcreate", what, path: location.file)
      // The same contents give the same bytes, whenever they are written.
      try check(
        H5Pset_obj_track_times(creation.handle, false), "H5Pset_obj_track_times", what, path: location.file)
      let handle = unsafe H5Gcreate2(
        location.handle, path, chdf5_default(), creation.handle, chdf5_default())
      let identifier = try Identifier(handle, "H5Gcreate2", what, path: location.file, in: location.session)
      return HDF5Group(identifier: identifier, session: location.session, path: path)
    }
  }
}

extension HDF5Location {
  fileprivate func kind(ofMember path: String) -> HDF5Member.Kind {
    switch unsafe chdf5_link_type(handle, path) {
    case Int32(H5L_TYPE_HARD.rawValue): break
    case Int32(H5L_TYPE_SOFT.rawValue) where session.isTrusted: break
    case Int32(H5L_TYPE_EXTERNAL.rawValue) where session.isTrusted: break
    case 0...: return .link
    default: return .damaged
    }
    guard
      let object = try? Identifier(
        unsafe H5Oopen(handle, path, chdf5_default()), "H5Oopen", "open '\(path)'", path: file)
    else { return .damaged }
    return switch H5Iget_type(object.handle) {
    case H5I_DATASET: .dataset
    case H5I_GROUP: .group
    default: .datatype
    }
  }

  /// The whole path of an object that is about to be made; the groups on the way must exist.
  func pathOfNew(_ name: String) throws(HDF5Error) -> String {
    let components = name.split(separator: "/")
    guard let last = components.last, !last.utf8.contains(0) else {
      throw HDF5Error(.other, "'\(name)' cannot be the name of an object in '\(file)'", path: file)
    }
    let root = name.utf8.first == UInt8(ascii: "/") ? "/" : ""
    let parent = try resolve(root + components.dropLast().joined(separator: "/"))
    return parent == "/" ? "/\(last)" : "\(parent)/\(last)"
  }
}
