internal import Text

/// Which fields of a record are wanted, and in what order.
struct ColumnSelection: Equatable, Sendable {
  /// The names of the features, in the order of the data set.
  var names: [String]
  /// The field of each feature.
  var features: [Int]
  /// The field of the target, if it is wanted.
  var target: Int?
  var targetName: String?

  /// Finds columns by name, wherever they stand; columns that are not named are left alone.
  /// - Throws: `PreparationError` if one is not there, with the nearest name.
  init(header: [CSVTable.Header], path: String, names: [String], target: String?) throws(PreparationError) {
    var places: [String: Int] = [:]
    for (index, column) in header.enumerated() { places[column.name] = index }
    func find(_ name: String, _ role: String) throws(PreparationError) -> Int {
      if let place = places[name] { return place }
      throw Self.missing(name, role, header: header, path: path)
    }
    self.names = names
    targetName = target
    if let target { self.target = try find(target, "target") }
    features = []
    for name in names { features.append(try find(name, "column")) }
  }

  /// Takes every column but the target for a feature.
  init(header: [CSVTable.Header], path: String, target: String) throws(PreparationError) {
    try self.init(
      header: header, path: path, names: header.map(\.name).filter { $0 != target }, target: target)
    guard !names.isEmpty else {
      throw PreparationError(
        .invalid, at: header[0].place, "there is no column beside the target \(quoted(target))")
    }
  }

  private static func missing(_ name: String, _ role: String, header: [CSVTable.Header], path: String)
    -> PreparationError
  {
    let names = header.map(\.name)
    let parser = DecimalParser()
    let areNumbers = names.allSatisfy { name in
      let bytes = Array(name.utf8)
      return parser.double(bytes.span, 0..<bytes.count) != nil
    }
    var hint: String
    if areNumbers {
      hint = "the first line holds numbers; it must name the columns"
    } else if let nearest = closest(to: name, among: names) {
      hint = "did you mean \(quoted(nearest))?"
    } else {
      let shown = names.prefix(20).map { quoted($0) }.joined(separator: ", ")
      hint = "the columns are \(shown)\(names.count > 20 ? " and \(names.count - 20) more" : "")"
    }
    if names.count == 1, !areNumbers { hint += "; is the delimiter right?" }
    let place = PreparationError.Place(path: path, line: header[0].place.line, column: header[0].place.column)
    return PreparationError(.invalid, at: place, "there is no \(role) \(quoted(name))", hint: hint)
  }
}
