package import HDF5
import Text

extension HDF5File {
  /// The data set `name`; where there is none, the error lists those that are there.
  package borrowing func dataSet(named name: String, role: String) throws(DataError) -> HDF5Dataset {
    do throws(HDF5Error) {
      return try dataset(named: name)
    } catch {
      guard error.kind == .missing || error.kind == .typeMismatch else { throw DataError(error) }
      let found = dataSets()
      let names = found.map(\.name)
      var message = "'\(path)' has no data set '\(name)' for the \(role)"
      if found.isEmpty {
        message += "; it has none at all"
      } else {
        message += "; it has:"
        for entry in found.prefix(20) { message += "\n  \(entry.name)  \(entry.type) \(shapeText(entry.shape))" }
        if found.count > 20 { message += "\n  and \(found.count - 20) more" }
      }
      let bare = name.hasPrefix("/") ? String(name.dropFirst()) : name
      throw DataError(.invalid, message, hint: closest(to: bare, among: names).map { "did you mean '\($0)'?" })
    }
  }

  /// The data sets of the file, also those in groups, with type and shape; those that cannot be opened are left out.
  borrowing func dataSets() -> [(name: String, type: ElementType, shape: [Int])] {
    var found: [(name: String, type: ElementType, shape: [Int])] = []
    // Groups still to be listed. A group may hold itself by a hard link: depth and number are bounded.
    var groups = [(path: "", depth: 0)]
    var next = 0
    while next < groups.count && found.count < 1_000 {
      let group = groups[next]
      next += 1
      guard let members = try? names(of: group.path) else { continue }
      for member in members {
        let path = group.path.isEmpty ? member.name : "\(group.path)/\(member.name)"
        switch member.kind {
        case .dataset:
          if let set = try? dataset(named: path) { found.append((path, set.elementType, set.shape)) }
        case .group where group.depth < 3 && groups.count < 100: groups.append((path, group.depth + 1))
        default: break
        }
      }
    }
    return found
  }
}
