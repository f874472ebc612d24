import Failures
import HDF5

/// The objects of an HDF5 file, with what their headers say; no data are read but attributes.
struct HDF5Contents {
  /// A file can be made of more objects than anyone wants to read about, and groups can hold each other.
  private static let mostObjects = 2_000
  private static let mostDepth = 16

  struct Object {
    enum Kind {
      case group
      case dataset(Array)
      /// Something that is not read: a link, a stored type, or what cannot be opened; and why.
      case other(String)
    }

    let path: String
    let kind: Kind
    var attributes: [(name: String, value: Result<HDF5Attribute, HDF5Error>)] = []
  }

  struct Array {
    let type: String
    let shape: [Int]
    let chunk: [Int]?
    let filters: Filters
    let storedBytes: Int
  }

  /// By path, the root first.
  private(set) var objects: [Object] = []
  /// Whether there are more objects than were looked at.
  private(set) var isCut = false

  /// Level by level, so that a group which holds itself does not use up the objects that are looked at before the others come.
  init(_ path: String) throws(HDF5Error) {
    let file = try HDF5File.open(path)
    objects = [Object(path: "/", kind: .group, attributes: Self.attributes(of: file))]
    var level = ["/"]
    for _ in 0..<Self.mostDepth {
      var next: [String] = []
      for group in level { next += add(membersOf: group, in: file) }
      level = next
    }
    if !level.isEmpty { isCut = true }
    objects.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// Adds the members of a group and returns the paths of those that are groups.
  private mutating func add(membersOf group: String, in file: borrowing HDF5File) -> [String] {
    let members: [HDF5Member]
    do throws(HDF5Error) {
      members = try file.names(of: group)
    } catch {
      objects.append(Object(path: group, kind: .other(error.message)))
      return []
    }
    var groups: [String] = []
    for member in members {
      guard objects.count < Self.mostObjects else {
        isCut = true
        break
      }
      let path = group == "/" ? "/\(member.name)" : "\(group)/\(member.name)"
      let object = Self.object(member.kind, path, in: file)
      objects.append(object)
      if case .group = object.kind { groups.append(path) }
    }
    return groups
  }

  private static func object(_ kind: HDF5Member.Kind, _ path: String, in file: borrowing HDF5File) -> Object {
    do throws(HDF5Error) {
      switch kind {
      case .dataset:
        let set = try file.dataset(named: path)
        let array = Array(
          type: set.elementType.description, shape: set.shape, chunk: set.chunk, filters: set.filters,
          storedBytes: set.storedBytes)
        return Object(path: path, kind: .dataset(array), attributes: attributes(of: set))
      case .group: return Object(path: path, kind: .group, attributes: attributes(of: try file.group(named: path)))
      case .datatype: return Object(path: path, kind: .other("a stored type"))
      case .link: return Object(path: path, kind: .other("a link, which is not followed"))
      case .damaged: return Object(path: path, kind: .other("cannot be opened"))
      }
    } catch {
      return Object(path: path, kind: .other(error.message))
    }
  }

  private static func attributes<Holder: HDF5Attributed & ~Copyable>(
    of holder: borrowing Holder
  ) -> [(name: String, value: Result<HDF5Attribute, HDF5Error>)] {
    var found: [(name: String, value: Result<HDF5Attribute, HDF5Error>)] = []
    for name in (try? holder.attributeNames()) ?? [] {
      do throws(HDF5Error) {
        if let value = try holder.attribute(named: name) { found.append((name, .success(value))) }
      } catch {
        found.append((name, .failure(error)))
      }
    }
    return found
  }
}

extension HDF5Contents.Array {
  /// `shuffle, deflate 4, Fletcher32`
  var filterNames: [String] {
    var names: [String] = []
    if filters.shuffle { names.append("shuffle") }
    if let level = filters.deflate { names.append("deflate \(level)") }
    if filters.fletcher32 { names.append("Fletcher32") }
    return names
  }
}

extension HDF5Contents {
  var datasets: [(path: String, array: Array)] {
    objects.compactMap { object in
      if case .dataset(let array) = object.kind { (object.path, array) } else { nil }
    }
  }
}
