import CHDF5

/// What the library says about its last failed call on this thread.
struct ErrorStack {
  /// `function: description`, the call first, the cause last.
  let lines: [String]

  /// Reads the stack, once and at once: the next call of the library clears it.
  static func capture() -> ErrorStack {
    var lines: [String] = []
    unsafe withUnsafeMutablePointer(to: &lines) { pointer in
      _ = unsafe H5Ewalk2(
        Library.defaultStack, H5E_WALK_DOWNWARD,
        { _, entry, context in
          guard let entry = unsafe entry?.pointee, let context = unsafe context else { return 0 }
          let function = unsafe entry.func_name.map { unsafe String(cString: $0) } ?? ""
          let description = unsafe entry.desc.map { unsafe String(cString: $0) } ?? ""
          unsafe context.assumingMemoryBound(to: [String].self).pointee.append("\(function): \(description)")
          return 0
        }, pointer)
    }
    return ErrorStack(lines: lines)
  }

  /// The innermost description, without the function that gave it.
  var cause: String {
    guard let last = lines.last else { return "the library gives no reason" }
    guard let colon = last.firstIndex(of: ":") else { return last }
    return String(last[last.index(after: colon)...].drop { $0 == " " })
  }

  /// What the descriptions, which are the library's only machine-readable trace of a cause, say about it.
  var kind: HDF5Error.Kind {
    func says(_ text: String) -> Bool { lines.contains { $0.contains(text) } }
    if says("No space left on device") || says("Disk quota exceeded") { return .noSpace }
    if says("Permission denied") || says("Read-only file system") { return .permission }
    if says("No such file or directory") { return .missing }
    if says("Is a directory") { return .directory }
    if says("Fletcher32") || says("checksum") || says("inflate()") { return .checksum }
    if says("truncated file") || says("addr overflow") || says("read past") { return .truncated }
    if says("is not registered") || says("filter") && says("not available") { return .filter }
    return .other
  }
}

/// Throws what the library said if `status` is negative. `what` completes "cannot ...".
func check(_ status: Int32, _ call: String, _ what: @autoclosure () -> String, path: String) throws(HDF5Error) {
  if status < 0 { throw failure(call, what(), path: path) }
}

func failure(_ call: String, _ what: String, path: String) -> HDF5Error {
  let stack = ErrorStack.capture()
  let kind = stack.kind
  let reason =
    switch kind {
    case .noSpace: "no space left on the device"
    case .checksum: "the stored bytes are damaged (\(stack.cause))"
    case .truncated: "the data lie beyond the end of the file (\(stack.cause))"
    default: stack.cause
    }
  return HDF5Error(kind, "cannot \(what) in '\(path)': \(reason)", path: path, call: call, stack: stack.lines)
}
