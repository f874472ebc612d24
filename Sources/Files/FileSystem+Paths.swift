// Paths as text; nothing here asks the file system.
extension FileSystem {
  /// "a/b" and "c" make "a/b/c"; an absolute `name` stands alone.
  public static func join(_ directory: String, _ name: String) -> String {
    if directory.isEmpty || name.utf8.first == UInt8(ascii: "/") { return name }
    return directory.utf8.last == UInt8(ascii: "/") ? directory + name : directory + "/" + name
  }

  /// The folder that `path` lies in: "a/b" of "a/b/c" and of "a/b/c/", "." of "c", "/" of "/c" and of "/".
  public static func directory(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    if trimmed.isEmpty, !path.isEmpty { return "/" }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    let parent = withoutTrailingSlashes(trimmed[..<slash])
    return parent.isEmpty ? "/" : String(parent)
  }

  /// The last part of `path`: "c" of "a/b/c" and of "a/b/c/"; "/" of the root.
  public static func name(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    if trimmed.isEmpty { return path.isEmpty ? "" : "/" }
    guard let slash = trimmed.lastIndex(of: "/") else { return String(trimmed) }
    return String(trimmed[trimmed.index(after: slash)...])
  }

  private static func withoutTrailingSlashes(_ path: some StringProtocol) -> Substring {
    var rest = Substring(path)
    while rest.utf8.last == UInt8(ascii: "/") { rest = Substring(rest.utf8.dropLast()) }
    return rest
  }
}
