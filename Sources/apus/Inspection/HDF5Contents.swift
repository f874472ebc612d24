import HDF5

/// The objects of an HDF5 file, with what their headers say; no data are read but attributes.
struct HDF5Contents {
  /// A file can be made of more objects than anyone wants to read about, and groups can hold each other.
  private static let mostObjects = 10_000
  private static let mostDepth = 32

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

  /// The root first, then depth first by name.
  private(set) var objects: [Object] = []
  /// Whether there are more objects than were looked at.
  private(set) var isCut = false

  init(_ path: String) throws(HDF5Error) {
    let file = try HDF5File.open(path)
    objects = [Object(path: "/", kind: .group, attributes: Self.attributes(of: file))]
    add(of: file, path: "", depth: 0)
  }

  private mutating func add<Container: HDF5Container & ~Copyable>(
    of group: borrowing Container, path: String, depth: Int
  ) {
    let members: [HDF5Member]
    do throws(HDF5Error) {
      members = try group.names()
    } catch {
      objects.append(Object(path: path, kind: .other(error.message)))
      return
    }
    for member in members {
      guard objects.count < Self.mostObjects, depth < Self.mostDepth else {
        isCut = true
        return
      }
      let full = "\(path)/\(member.name)"
      switch member.kind {
      case .dataset: addDataset(member.name, of: group, full)
      case .group: addGroup(member.name, of: group, full, depth)
      case .datatype: objects.append(Object(path: full, kind: .other("a stored type")))
      case .link: objects.append(Object(path: full, kind: .other("a link, which is not followed")))
      case .damaged: objects.append(Object(path: full, kind: .other("cannot be opened")))
      }
    }
  }

  private mutating func addGroup<Container: HDF5Container & ~Copyable>(
    _ name: String, of parent: borrowing Container, _ path: String, _ depth: Int
  ) {
    do throws(HDF5Error) {
      let group = try parent.group(named: name)
      objects.append(Object(path: path, kind: .group, attributes: Self.attributes(of: group)))
      add(of: group, path: path, depth: depth + 1)
    } catch {
      objects.append(Object(path: path, kind: .other(error.message)))
    }
  }

  private mutating func addDataset<Container: HDF5Container & ~Copyable>(
    _ name: String, of parent: borrowing Container, _ path: String
  ) {
    do throws(HDF5Error) {
      let set = try parent.dataset(named: name)
      let array = Array(
        type: set.elementType.description, shape: set.shape, chunk: set.chunk, filters: set.filters,
        storedBytes: set.storedBytes)
      objects.append(Object(path: path, kind: .dataset(array), attributes: Self.attributes(of: set)))
    } catch {
      objects.append(Object(path: path, kind: .other(error.message)))
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
