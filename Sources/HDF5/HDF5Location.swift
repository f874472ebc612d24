import CHDF5

/// Where an object is: its handle, and the names that messages need. Opaque outside this module.
///
/// It does not own the handle. Once the object is closed, every use fails with an error.
public struct HDF5Location: Sendable {
  let handle: hid_t
  let session: FileSession
  /// The object in the file, from the root.
  let path: String

  /// The file on disk.
  var file: String { session.path }
  var isReadOnly: Bool { session.isReadOnly }

  /// Follows `name` link by link and returns the whole path, refusing every link but a hard one, unless the file is trusted: the
  /// others lead out of the file, or in circles.
  func resolve(_ name: String) throws(HDF5Error) -> String {
    try session.checkUsable()
    guard !name.utf8.contains(0) else {
      throw HDF5Error(.missing, "there is no object of that name in '\(file)': the name holds a zero byte", path: file)
    }
    var walked = name.utf8.first == UInt8(ascii: "/") ? "/" : ""
    var full = walked.isEmpty ? path : "/"
    for component in name.split(separator: "/") where component != "." {
      let parent = walked
      walked += walked.isEmpty || walked == "/" ? component : "/" + component
      let status = unsafe H5Lexists(handle, walked, chdf5_default())
      guard status > 0 else { throw missing(full, component, in: parent, status) }
      full += full == "/" ? component : "/" + component
      switch unsafe chdf5_link_type(handle, walked) {
      case Int32(H5L_TYPE_HARD.rawValue): continue
      case Int32(H5L_TYPE_SOFT.rawValue) where session.isTrusted: continue
      case Int32(H5L_TYPE_EXTERNAL.rawValue) where session.isTrusted: continue
      case Int32(H5L_TYPE_SOFT.rawValue): throw refused(full, "a soft link")
      case Int32(H5L_TYPE_EXTERNAL.rawValue): throw refused(full, "a link to another file")
      case 0...: throw refused(full, "a user-defined link")
      default: throw failure("H5Lget_info", "look at '\(full)'", path: file)
      }
    }
    return full
  }

  private func refused(_ full: String, _ what: String) -> HDF5Error {
    HDF5Error(.forbidden, "'\(full)' in '\(file)' is \(what), which is not followed", path: file)
  }

  private func missing(_ parentPath: String, _ name: Substring, in parent: String, _ status: Int32) -> HDF5Error {
    let stack = status < 0 ? ErrorStack.capture().lines : []
    let full = parentPath == "/" ? "/\(name)" : "\(parentPath)/\(name)"
    var message = "there is no '\(full)' in '\(file)'"
    if status == 0, let names = try? linkNames(of: parent.isEmpty ? "." : parent) {
      let some = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", ..." : "")
      message += names.isEmpty ? "; '\(parentPath)' is empty" : "; '\(parentPath)' has \(some)"
    }
    return HDF5Error(.missing, message, path: file, call: "H5Lexists", stack: stack)
  }

  /// The names of all links in the group `name`, sorted. The caller holds the lock.
  func linkNames(of name: String) throws(HDF5Error) -> [String] {
    let group = try Identifier(
      unsafe H5Gopen2(handle, name, chdf5_default()), "H5Gopen2", "open the group '\(name)'", path: file)
    return try unsafe visited("H5Literate", "list '\(name)'") { visit, context in
      unsafe chdf5_visit_links(group.handle, visit, context)
    }
  }

  /// Collects the names that one of the library's iterations calls back with.
  func visited(
    _ call: String, _ what: String, _ iterate: (chdf5_visit, UnsafeMutableRawPointer) -> herr_t
  ) throws(HDF5Error) -> [String] {
    var names: [String] = []
    let status = unsafe withUnsafeMutablePointer(to: &names) { pointer in
      unsafe iterate(
        { name, context in
          guard let name = unsafe name, let context = unsafe context else { return 0 }
          unsafe context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
          return 0
        }, pointer)
    }
    try check(status, call, what, path: file)
    return names
  }
}
