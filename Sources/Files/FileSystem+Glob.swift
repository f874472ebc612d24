// File names by pattern.
extension FileSystem {
  /// Whether `path` holds a character that `glob` takes for a pattern.
  public static func isPattern(_ path: String) -> Bool {
    path.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
  }

  /// The paths that match `pattern`, sorted by their bytes.
  ///
  /// `*` stands for any characters but "/", `?` for one, `[a-c]` for one of these and `[!a-c]` for one of the others;
  /// `\` takes the next character as it is. A name that begins with "." has to be asked for by a ".".
  /// - Throws: `FilesError` if a folder on the way cannot be listed: files left out in silence would be data lost.
  public static func glob(_ pattern: String) throws(FilesError) -> [String] {
    let parts = pattern.split(separator: "/").map(String.init)
    guard let last = parts.last else { return [] }
    var found = [pattern.utf8.first == UInt8(ascii: "/") ? "/" : ""]
    for part in parts.dropLast() { found = try matches(of: part, in: found, directoriesOnly: true) }
    found = try matches(of: last, in: found, directoriesOnly: pattern.utf8.last == UInt8(ascii: "/"))
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func matches(
    of part: String, in directories: [String], directoriesOnly: Bool
  ) throws(FilesError) -> [String] {
    var found: [String] = []
    let glob = Glob(part)
    for directory in directories {
      var names: [String]
      if let plain = glob.plain {
        names = [plain]
      } else {
        do {
          names = try list(directory.isEmpty ? "." : directory)
        } catch {
          // Removed since it was found: it holds no match.
          if error.kind == .missing { continue }
          throw error
        }
        names = names.filter { glob.matches($0) }
      }
      for name in names {
        let path = join(directory, name)
        // A symbolic link that leads nowhere is no file, and neither is a plain name that nothing carries.
        guard let status = try status(of: path), !directoriesOnly || status.kind == .directory else { continue }
        found.append(path)
      }
    }
    return found
  }
}

/// One part of a pattern between two slashes.
struct Glob {
  private enum Element {
    case one(Unicode.Scalar)
    case any
    case anyRun
    case set([ClosedRange<Unicode.Scalar>], negated: Bool)

    func matches(_ scalar: Unicode.Scalar) -> Bool {
      switch self {
      case .one(let wanted): wanted == scalar
      case .any: true
      case .anyRun: false
      case .set(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
      }
    }
  }

  private var elements: [Element] = []
  /// The only name that matches, if the part is no pattern.
  private(set) var plain: String?

  init(_ text: String) {
    let scalars = Array(text.unicodeScalars)
    var index = 0
    while index < scalars.count {
      switch scalars[index] {
      case "*": elements.append(.anyRun)
      case "?": elements.append(.any)
      case "\\" where index + 1 < scalars.count:
        index += 1
        elements.append(.one(scalars[index]))
      case "[":
        if let (set, end) = Self.set(scalars, from: index) {
          elements.append(set)
          index = end
        } else {
          elements.append(.one("["))
        }
      default: elements.append(.one(scalars[index]))
      }
      index += 1
    }
    var name = String.UnicodeScalarView()
    for element in elements {
      guard case .one(let scalar) = element else { return }
      name.append(scalar)
    }
    plain = String(name)
  }

  /// The set that begins with the bracket at `start`, and where its closing bracket stands; nil if there is none.
  private static func set(_ scalars: [Unicode.Scalar], from start: Int) -> (Element, end: Int)? {
    var index = start + 1
    let negated = index < scalars.count && (scalars[index] == "!" || scalars[index] == "^")
    if negated { index += 1 }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    let first = index
    while index < scalars.count {
      let low = scalars[index]
      // A bracket in the first place stands for itself.
      if low == "]", index > first { return (.set(ranges, negated: negated), index) }
      if index + 2 < scalars.count, scalars[index + 1] == "-", scalars[index + 2] != "]" {
        if low <= scalars[index + 2] { ranges.append(low...scalars[index + 2]) }
        index += 3
      } else {
        ranges.append(low...low)
        index += 1
      }
    }
    return nil
  }

  /// Whether the whole `name` matches. Goes back only to the last star, so the cost is at most the product of lengths.
  func matches(_ name: String) -> Bool {
    let scalars = Array(name.unicodeScalars)
    if scalars.first == "." {
      guard case .one(".") = elements.first else { return false }
    }
    var element = 0
    var position = 0
    var star: (element: Int, position: Int)?
    while position < scalars.count {
      if element < elements.count, case .anyRun = elements[element] {
        star = (element, position)
        element += 1
      } else if element < elements.count, elements[element].matches(scalars[position]) {
        element += 1
        position += 1
      } else if let last = star {
        star = (last.element, last.position + 1)
        element = last.element + 1
        position = last.position + 1
      } else {
        return false
      }
    }
    while element < elements.count, case .anyRun = elements[element] { element += 1 }
    return element == elements.count
  }
}
